import { handler as getReport } from '../../../lambdas/get-report/handler';
import { handler as getStatus } from '../../../lambdas/get-status/handler';
import { makeRequest } from '../../../cli/drowse/reach/request';
import { handler as issueCertificate } from '../../../lambdas/issue-certificate/handler';
import { handler as keepAwake } from '../../../lambdas/keep-awake/handler';
import { handler as manageLinks } from '../../../lambdas/manage-links/handler';
import { handler as postponeSleep } from '../../../lambdas/postpone-sleep/handler';
import { handler as requestSleep } from '../../../lambdas/request-sleep/handler';
import { handler as requestWake } from '../../../lambdas/request-wake/handler';
import { handler as sendNotice } from '../../../lambdas/send-notice/handler';
import { handler as servePage } from '../../../lambdas/serve-page/handler';
import { handler as skipNext } from '../../../lambdas/skip-next/handler';
import { withClients } from '../../../lambdas/shared/clients/clients';
import { logger } from '../../../lambdas/shared/clients/logger';
import { parseConfig } from '../../../lib/config/load';
import type { Call } from '../../../sim/aws/calls';
import type { Model } from '../../../sim/model';
import { simulate, type Twin } from '../../../sim/run';
import { runSchedules } from '../../../sim/schedules';
import { environmentOf, makeStep, STEPS } from '../../../sim/steps';
import { seconds } from '../../../sim/virtual-time';
import { COMMANDS } from '../../../lib/constructs/commands/run-commands';
import { begin } from '../../lambdas/support';
import { apiEvent, NO_CONTEXT } from '../../../sim/api-event';

/** A cluster whose life touches every step: three pools, one of which stops its nodes. */
export const LIVED_CONFIG = `
operatorCidrs: [203.0.113.0/24]
pools:
  - { name: web, instanceTypes: [t3.large], min: 1, desired: 2, max: 4, ingress: true }
  - { name: batch, instanceTypes: [m7i.large], min: 1, desired: 1, max: 3, sleep: stop }
  - { name: gpu, instanceTypes: [g4dn.xlarge], gpu: true, market: spot, desired: 0, max: 5 }
`;

/** A recorded call, with the model in which it happened: that one knows the tags. */
export interface Recorded {
  call: Call;
  model: Model;
}

/** The control plane carries the Elastic IP: seats have a launch hook then. */
const SEAT_INGRESS = `
controlPlane: { ingress: true }
pools: [{ name: web, instanceTypes: [t3.large] }]
`;

/** A pool that may fall back to on-demand, beside the ingress. */
const FALLBACK = `
pools:
  - { name: web, instanceTypes: [t3.large], min: 1, ingress: true }
  - { name: gpu, instanceTypes: [g4dn.xlarge], gpu: true, market: spot-with-fallback, min: 1 }
`;
const NO_SPOT = 'Could not launch Spot Instances. InsufficientInstanceCapacity - no Spot capacity';

interface Script {
  config: string;
  live: (twin: Twin) => Promise<void>;
}

/** Lives and their accidents, told so that every step does everything that it ever does. */
const SCRIPTS: readonly Script[] = [
  {
    config: LIVED_CONFIG,
    live: async (twin) => {
      for (const workflow of ['bootstrap', 'sleep', 'wake', 'sleep']) await twin.run(workflow);
      await askApi(twin.model);
    },
  },
  // What a rehearsal finds is told.
  {
    config: '',
    live: async (twin) => {
      for (const workflow of ['bootstrap', 'sleep']) await twin.run(workflow);
      const { ec2 } = twin.model;
      const { address } = ec2;
      ec2.address = undefined;
      await makeStep(twin.model, 'rehearse-wake')({ execution: 'evening' });
      ec2.address = address;
    },
  },
  // A node that never joins is abandoned, a seat that failed is replaced, a failed workflow looks up where it failed.
  {
    config: LIVED_CONFIG,
    live: async (twin) => {
      const { nodes } = twin.model;
      const plan = nodes.plan;
      const failing = { seat: true, pool: true };
      nodes.plan = (instance) => {
        const role = instance.tags['drowse:role'] === 'seat' ? 'seat' : 'pool';
        return { ...plan(instance), ...(failing[role] && { failsWith: 'start-failed' }) };
      };
      await twin.run('bootstrap');
      failing.seat = false;
      await Promise.race([twin.run('bootstrap'), seconds(900)]);
    },
  },
  // A workflow is stopped with the lease in its hand: the next one asks whether it is over.
  {
    config: LIVED_CONFIG,
    live: async (twin) => {
      const execution = twin.workflows.start('bootstrap');
      await seconds(30);
      execution.stop();
      await askApi(twin.model);
      await twin.workflows.of('sleep')[0]?.over;
    },
  },
  // A wake finds the load balancer that a sleep was about to delete.
  {
    config: LIVED_CONFIG,
    live: async (twin) => {
      await twin.run('bootstrap');
      twin.model.loadBalancing.times.delete = 30;
      twin.workflows.beforeTask = (execution, state) => {
        if (state === 'DeleteLoadBalancer') setTimeout(() => execution.stop(), 2000);
      };
      await twin.run('sleep');
      await twin.run('wake');
      // Somebody asks while somebody else holds the lease.
      await begin(twin, 'sleep');
      await askApi(twin.model);
    },
  },
  // Nobody uses the cluster by day, a trigger gets lost by night, and people have their say on both.
  {
    config: `${LIVED_CONFIG}
schedules:
  - { name: evenings, days: [fri, sat], sleep: '19:00' }
  - { name: nights, days: [fri, sat], wake: '23:00' }
  - { name: noon, days: [fri], wake: '12:00' }
idle: { enabled: true }
`,
    live: async (twin) => {
      twin.model.ssm.parameters.set(twin.model.names.linkKeyParameter, Buffer.alloc(32).toString('base64'));
      const { model } = twin;
      await twin.run('bootstrap');
      await askSchedules(model);
      await askCertificates(model);
      const installation = twin.workflows.start('install-platform');
      await seconds(5);
      installation.stop();
      const measure = model.ssm.documents.get('drowse-measure-activity')!;
      const failed = { ok: false, error: 'Test', message: 'test' };
      model.ssm.documents.set('drowse-measure-activity', () => ({ seconds: 1, result: failed }));
      await runSchedules(twin, 0.5);
      model.ssm.documents.set('drowse-measure-activity', measure);
      await runSchedules(twin, 3);
      await twin.run('wake');
      model.inside.activity.jobs = 1;
      await runSchedules(twin, 20, ({ at }) => ({ lost: at.includes('T19:00') }));
    },
  },
  // What nobody told a workflow of: look-after finds it.
  {
    config: LIVED_CONFIG,
    live: async (twin) => {
      const { model, workflows } = twin;
      await twin.run('bootstrap');
      const { plan } = model.nodes;
      model.nodes.plan = (instance) => ({ ...plan(instance), hangsIn: 'booting' });
      for (const { id, tags } of model.ec2.in('running')) if (tags['drowse:role'] === 'seat') model.ec2.terminate(id);
      await runSchedules(twin, 0.4);
      model.nodes.plan = plan;
      await runSchedules(twin, 0.4);
      model.ec2.address!.instanceId = model.ec2.in('terminated')[0]?.id;
      await runSchedules(twin, 0.2);
      for (const { arn } of model.loadBalancing.loadBalancers.values()) model.loadBalancing.loadBalancers.delete(arn);
      await runSchedules(twin, 0.2);
      workflows.beforeTask = (execution) => execution.workflow === 'join-node' && execution.stop();
      for (const { id, tags } of model.ec2.in('running')) if (tags['drowse:pool'] === 'web') model.ec2.terminate(id);
      await runSchedules(twin, 0.4);
      workflows.beforeTask = (execution, state) => state === 'SnapshotEtcd' && execution.stop();
      const uncordon = model.ssm.documents.get('drowse-uncordon-nodes')!;
      const broken = { ok: false, error: 'Test', message: 'test' };
      model.ssm.documents.set('drowse-uncordon-nodes', () => ({ seconds: 1, result: broken }));
      await twin.run('sleep');
      await runSchedules(twin, 1.1);
      model.ssm.documents.set('drowse-uncordon-nodes', uncordon);
      workflows.beforeTask = () => undefined;
      await runSchedules(twin, 2);
    },
  },
  // The Elastic IP is taken away by hand, and stays on an instance that has ended.
  {
    config: LIVED_CONFIG,
    live: async (twin) => {
      const { ec2 } = twin.model;
      await twin.run('bootstrap');
      ec2.address!.instanceId = undefined;
      await runSchedules(twin, 0.1);
      const ended = ec2.in('running').find(({ tags }) => tags['drowse:pool'] === 'batch')!;
      ec2.terminate(ended.id);
      ec2.address!.instanceId = ended.id;
      await runSchedules(twin, 0.1);
    },
  },
  // A pool gets no instance: the scaling activities say why.
  {
    config: LIVED_CONFIG,
    live: async (twin) => {
      for (const group of twin.model.autoScaling.groups.values()) {
        if (group.name.includes('-pool-')) group.noCapacity = 'InsufficientInstanceCapacity';
      }
      await twin.run('bootstrap');
    },
  },
  // Spot has nothing while the pool starts; the next night it runs dry while the nodes are waited for.
  {
    config: FALLBACK,
    live: async (twin) => {
      const gpu = twin.model.autoScaling.get('drowse-pool-gpu');
      gpu.noSpotCapacity = NO_SPOT;
      await twin.run('bootstrap');
      await twin.run('sleep');
      gpu.noSpotCapacity = undefined;
      twin.workflows.beforeTask = (_execution, state) => {
        if (state !== 'WaitForNodes') return;
        gpu.noSpotCapacity = NO_SPOT;
        for (const id of gpu.lifecycle.keys()) twin.model.ec2.terminate(id);
      };
      await twin.run('wake');
    },
  },
  // No market has anything: the pool comes up in the background, or nobody looks any more after half a day.
  {
    config: FALLBACK,
    live: async (twin) => {
      const gpu = twin.model.autoScaling.get('drowse-pool-gpu');
      gpu.noCapacity = NO_SPOT;
      await twin.run('bootstrap');
      gpu.onDemandPercent = 0;
      await runSchedules(twin, 0.1);
      gpu.noCapacity = undefined;
      await seconds(3600);
      await twin.run('sleep');
      gpu.noCapacity = NO_SPOT;
      await twin.run('wake');
      await runSchedules(twin, 0.1);
      await seconds(13 * 3600);
    },
  },
  // Launches were held in an earlier life.
  {
    config: LIVED_CONFIG,
    live: async (twin) => {
      for (const name of ['drowse-pool-web', 'drowse-seat-0']) twin.model.autoScaling.get(name).suspended.add('Launch');
      await twin.run('bootstrap');
    },
  },
  // Every command fails: its record is forgotten, so that it can be sent again.
  {
    config: LIVED_CONFIG,
    live: async (twin) => {
      const { model } = twin;
      await twin.run('bootstrap');
      const failed = { ok: false, error: 'Test', message: 'test' };
      for (const name of model.ssm.documents.keys()) {
        model.ssm.documents.set(name, () => ({ seconds: 1, result: failed }));
      }
      const leased = await begin(twin, 'sleep');
      // join-node holds no lease: its step knows the launch instead.
      const metadata = { role: 'pool', pool: 'gpu', ingress: false };
      const launch = { execution: 'e', instanceId: 'i-0', group: 'g', hook: 'launch', token: 't', metadata };
      const seat = { seat: 0, instanceId: 'i-00000000000000001' };
      const restore = { ...seat, key: 'k', at: 'a', dryRun: true, replaces: 'nothing' };
      const inputs: Record<string, object> = { 'mint-join-token': launch, 'restore-etcd': { ...leased, restore } };
      // Two commands are for people only.
      for (const name of [...Object.keys(COMMANDS), 'mint-join-tokens'].filter((name) => name in STEPS)) {
        await insist(model, name, inputs[name] ?? leased);
      }
    },
  },
  // Snapshots, a rehearsed restore, and nodes that are lost; each also fails.
  {
    config: LIVED_CONFIG,
    live: async (twin) => {
      const { model, workflows } = twin;
      await twin.run('bootstrap');
      model.s3.objects.set('snapshots/2026-01-01T00-00-00Z-sleep/etcd.db', 'old');
      const broken = { service: 'lambda', with: () => new TypeError('test') };
      for (const failing of [undefined, 'verify-snapshot', 'find-lost-node', undefined]) {
        if (failing !== undefined) model.faults.add({ caller: failing, ...broken });
        await twin.run('snapshot-etcd', {});
        workflows.interrupt(model.ec2.address?.instanceId ?? '');
        await seconds(400);
        model.faults.clear();
      }
      for (const input of [{}, { dryRun: false, confirm: 'drowse' }]) await twin.run('restore-etcd', input);
      // A new ingress node finds the Elastic IP with one that does not serve.
      const [one, other] = model.ec2.in('running').filter(({ tags }) => tags['drowse:ingress'] === 'true');
      for (const node of [one, other]) if (node) node.tags['drowse:phase'] = 'failed:start-failed';
      const holder = model.ec2.address?.instanceId;
      await insist(model, 'associate-elastic-ip', { instanceId: one?.id === holder ? other?.id : one?.id });
    },
  },
  // Launches that hooks hold when sleep comes; and ends that are recorded twice.
  {
    config: SEAT_INGRESS,
    live: async (twin) => {
      const { model, workflows } = twin;
      const execution = workflows.start('bootstrap');
      const held = () =>
        ['drowse-seat-0', 'drowse-pool-web'].every((name) =>
          [...model.autoScaling.get(name).lifecycle.values()].includes('Pending:Wait'),
        );
      while (!held()) await seconds(1);
      execution.stop();
      const leased = await begin(twin, 'sleep');
      for (const name of ['stop-seats', 'stop-pools', 'record-success', 'record-success']) {
        await insist(model, name, leased);
      }
      const failing = { ...(await begin(twin, 'sleep')), failure: { Error: 'Test', Cause: 'test' } };
      for (let time = 0; time < 2; time += 1) await insist(model, 'record-failure', failing);
    },
  },
];

/** Every call that the steps make in all scripts. */
export async function recordLife(): Promise<Recorded[]> {
  const recorded: Recorded[] = [];
  for (const { config, live } of SCRIPTS) {
    const model = await simulate(parseConfig(config), async (twin) => {
      await live(twin);
      return twin.model;
    });
    recorded.push(...model.calls.all.map((call) => ({ call, model })));
  }
  return recorded;
}

/** Calls a step a few times, as a workflow would, whatever it throws. */
async function insist(model: Model, name: string, input: object): Promise<void> {
  const step = makeStep(model, name);
  for (let time = 0; time < 3; time += 1) {
    await step(input).catch(() => undefined);
    await seconds(5);
  }
}

async function askSchedules(model: Model): Promise<void> {
  logger.setLogLevel('SILENT');
  const requests: [handler: typeof keepAwake | typeof skipNext | typeof postponeSleep, route: string, body?: object][] =
    [
      [keepAwake, 'PUT /keep-awake', { until: new Date(Date.now() + 60_000).toISOString() }],
      [keepAwake, 'DELETE /keep-awake'],
      [skipNext, 'PUT /skip-next', { workflow: 'wake' }],
      [skipNext, 'DELETE /skip-next'],
      [postponeSleep, 'POST /postpone-sleep'],
    ];
  for (const [handler, route, body] of requests) {
    const [, name = ''] = route.split(' /');
    const call = withClients(model.clients(name), () => handler.instance(environmentOf(model)));
    await call(apiEvent(route, body && { body: JSON.stringify(body) }), NO_CONTEXT);
  }
}

async function askApi(model: Model): Promise<void> {
  logger.setLogLevel('SILENT');
  const Sns = { MessageId: 'm', Subject: 's', Message: 'text', Timestamp: 't' };
  // Nobody has put its address there: none is called.
  const team = { WEBHOOKS: '[{"name":"team","kind":"slack"}]' };
  const send = withClients(model.clients('send-notice'), () =>
    sendNotice.instance({ ...environmentOf(model), ...team }),
  );
  await send({ Records: [{ Sns }] }).catch(() => undefined);
  await askLinks(model);
  const requests: [handler: typeof getStatus | typeof getReport | typeof requestWake, route: string, name: string][] = [
    [getStatus, 'GET /status', 'get-status'],
    [getReport, 'GET /cost', 'get-report'],
    [requestSleep, 'POST /sleep', 'request-sleep'],
    [requestWake, 'POST /wake', 'request-wake'],
  ];
  for (const [handler, route, name] of requests) {
    const call = withClients(model.clients(name), () => handler.instance(environmentOf(model)));
    await call(apiEvent(route), NO_CONTEXT);
  }
}

/** A person gets a certificate; a seat refuses to sign another. */
async function askCertificates(model: Model): Promise<void> {
  const access = { ACCESS: JSON.stringify({ '123456789012:user:operator': ['operator', ['drowse:operators']] }) };
  const ask = withClients(model.clients('issue-certificate'), () =>
    issueCertificate.instance({ ...environmentOf(model), ...access }),
  );
  const body = JSON.stringify({ request: makeRequest().request });
  const name = model.names.document('issue-certificate');
  const sign = model.ssm.documents.get(name)!;
  const failed = { ok: false, error: 'BadRequest', message: 'test' };
  for (const script of [() => ({ seconds: 1, result: failed }), sign]) {
    model.ssm.documents.set(name, script);
    for (let looks = 0; looks < 3; looks += 1) {
      await ask(apiEvent('POST /certificates', { body }), NO_CONTEXT);
      await seconds(2);
    }
  }
}

/** A link is made, looks, wakes, puts to sleep, and is revoked with all others. */
async function askLinks(model: Model): Promise<void> {
  const instance = (name: 'manage-links' | 'serve-page', handler: typeof manageLinks | typeof servePage) =>
    withClients(model.clients(name), () => handler.instance(environmentOf(model)));
  const [manage, serve] = [instance('manage-links', manageLinks), instance('serve-page', servePage)];
  const body = JSON.stringify({ name: 'Ann', rights: ['wake', 'sleep', 'keep-awake'] });
  const made = await manage(apiEvent('POST /links', { body }), NO_CONTEXT);
  const { secret } = JSON.parse(made.body ?? '') as { secret: string };
  const byLink = (route: string) => {
    const event = apiEvent(route, { authorizer: {} }) as { headers: object };
    return serve({ ...event, headers: { authorization: `Bearer ${secret}` } }, NO_CONTEXT);
  };
  for (const route of ['GET /link/status', 'POST /link/sleep', 'POST /link/wake']) await byLink(route);
  await manage({ ...apiEvent('DELETE /links/all'), routeKey: 'DELETE /links/{id}' }, NO_CONTEXT);
}
