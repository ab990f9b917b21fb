import { EtcdLab } from './support/etcd-lab';
import { poolData } from './support/nodes';
import { sharedTools } from './support/sandbox';

let lab: EtcdLab;
beforeAll(() => {
  lab = new EtcdLab();
});
afterAll(async () => lab.end());

/** Calls that would need somebody else's network. */
const FOREIGN = /^(apt-get|curl|crictl .*pull|kubeadm config images pull)/;

test('after the install a seat boots with everything but AWS and its own network cut off', async () => {
  const [seat] = lab.seats as [EtcdLab['seats'][number]];
  await seat.newInstance();
  expect(seat.routes).toEqual([expect.stringMatching(/^198\.18\.\d+\.0\/24 dev ens5/)]);
  const run = await seat.boot();
  expect({ code: run.code, phase: seat.phase, problems: seat.problems }).toEqual({
    code: 0,
    phase: 'ready',
    problems: [],
  });
  expect(seat.sandbox.calls.filter((call) => FOREIGN.test(call))).toEqual([]);
});

test('after the install a GPU node boots with everything but AWS and its own network cut off', async () => {
  const seat = lab.seats[1]!;
  await seat.newInstance();
  const { sandbox } = seat;
  sandbox.removePath('test/world/real-etcd');
  for (const fact of ['api-up', 'gpu']) sandbox.world(fact);
  sandbox.write('etc/drowse/node.json', JSON.stringify(poolData({ gpu: true })));
  sandbox.write('var/lib/drowse/installed', `gpu ${sharedTools().sha256}\n`);
  sandbox.write('etc/containerd/conf.d/50-nvidia.toml', '');
  const self = Object.values(lab.state.instances).find(
    ({ id, state }) => id.startsWith('i-01') && state === 'running',
  )!;
  lab.state.parameters[`/drowse/drowse/join/gpu/${self.id}`] = {
    type: 'SecureString',
    value: JSON.stringify({
      endpoint: 'api.drowse.drowse.internal:6443',
      token: 'a.b',
      caHash: 'sha256:0',
      expiresAt: '2099-01-01T00:00:00Z',
    }),
  };
  const run = await seat.boot();
  expect({ code: run.code, phase: seat.phase, problems: seat.problems }).toEqual({
    code: 0,
    phase: 'ready',
    problems: [],
  });
  expect(sandbox.calls.filter((call) => FOREIGN.test(call))).toEqual([]);
});
