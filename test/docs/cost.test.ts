import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { HOURS_PER_MONTH } from '../../core/cost/prices';
import { answerOf } from '../cli/support';

/** The figures of docs/cost.md and README.md are those that `drowse cost` prints. */

const ROOT = path.join(__dirname, '..', '..');
const read = (file: string) => readFileSync(path.join(ROOT, file), 'utf8');
const COST = read('docs/cost.md');

interface Cost {
  awake: { what: string; perHour: number }[];
  awakePerHour: number;
  asleepPerMonth: number;
  month: { bySchedules: number };
}

async function costOf(yaml: string): Promise<Cost> {
  const folder = mkdtempSync(path.join(tmpdir(), 'drowse-cost-'));
  try {
    const file = path.join(folder, 'cluster.yaml');
    writeFileSync(file, yaml);
    return (await answerOf('cost', '--config', file)).answer as Cost;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The rows of a section's table, without the emphasis. */
function tableOf(heading: string): string[][] {
  const section = COST.split(/^## /m).find((part) => part.startsWith(heading)) ?? '';
  return section
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(2)
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.replaceAll('**', '').trim()),
    );
}

test('the orchestration, by the command as it stands there', () => {
  expect(COST).toContain('`make bench-orchestration`');
  const { pair, usdAMonth, usdByPart, usdByService } = JSON.parse(
    execFileSync('make', ['--silent', 'bench-orchestration'], { cwd: ROOT, encoding: 'utf8' }),
  ) as {
    pair: Record<'transitions' | 'lambdaRequests' | 'lambdaGbSeconds', number>;
    usdAMonth: number;
    usdByPart: Record<'pairs' | 'snapshots' | 'looks', number>;
    usdByService: Record<string, number>;
  };
  const { 'Step Functions': workflows = 0, 'Logs (estimate)': logs = 0, ...others } = usdByService;
  const lambda = Number(others['Lambda requests']) + Number(others['Lambda GB-seconds']);
  const sums = [workflows, logs, lambda, usdAMonth - workflows - logs - lambda, usdAMonth];
  const rows = tableOf('The orchestration itself');
  expect(rows.map(([, usd]) => usd)).toEqual(
    [...sums, usdByPart.pairs, usdByPart.snapshots, usdByPart.looks].map((usd) => usd.toFixed(2)),
  );
  expect(rows[0]?.[0]).toContain(`${String(pair.transitions)} transitions`);
  expect(rows[2]?.[0]).toContain(
    `${String(pair.lambdaRequests)} requests and ${pair.lambdaGbSeconds.toFixed(1)} GB-seconds`,
  );
});

const monthly = (perHour: number) => perHour * HOURS_PER_MONTH;
const shown = (usd: number) => usd.toFixed(2).replace(/\B(?=(\d{3})+\.)/g, ',');

test('the default cluster, item by item', async () => {
  const { awake, awakePerHour, asleepPerMonth } = await costOf('');
  const rows = tableOf('The default cluster');
  expect(rows.slice(0, awake.length).map(([, ...figures]) => figures)).toEqual(
    awake.map(({ perHour }) => [perHour.toFixed(4), shown(monthly(perHour))]),
  );
  expect(rows.slice(awake.length).map(([, ...figures]) => figures)).toEqual([
    [awakePerHour.toFixed(4), shown(monthly(awakePerHour))],
    [(asleepPerMonth / HOURS_PER_MONTH).toFixed(4), shown(asleepPerMonth)],
  ]);
  const office = 220 * awakePerHour + (asleepPerMonth * 510) / HOURS_PER_MONTH;
  expect(COST).toContain(`= about $${office.toFixed(0)} a month`);
  const [asleep, always] = [asleepPerMonth, monthly(awakePerHour)];
  expect(read('README.md')).toContain(
    `**$${(Math.round(asleep * 10) / 10).toFixed(2)} a month**, against about $${String(Math.round(always / 10) * 10)} for`,
  );
});

test('the comparison with the plan', async () => {
  const [, yaml = ''] = /```yaml\n(# compared with the plan\n.*?)```/s.exec(COST) ?? [];
  const { awake, awakePerHour, asleepPerMonth } = await costOf(yaml);
  const ours = Object.fromEntries(tableOf('Against the plan').map(([what = '', , usd = '']) => [what, usd]));
  const sum = (...parts: string[]) =>
    shown(
      monthly(
        awake
          .filter(({ what }) => parts.some((part) => what.startsWith(part)))
          .reduce((all, { perHour }) => all + perHour, 0),
      ),
    );
  const { asleep, ...rows } = ours;
  expect(rows).toMatchObject({
    'control plane, t3.medium': sum('control plane'),
    'GPU nodes, 3 × g4dn.xlarge': sum('pool gpu'),
    'API load balancer': sum('API load balancer'),
    'Elastic IP': sum('Elastic IP'),
    'public IPv4 addresses, 8': sum('public IPv4 addresses, 8'),
    disks: sum('state volume', 'node disks'),
    'images in the bucket': sum('images'),
    heartbeat: sum('heartbeat'),
    'always on': shown(monthly(awakePerHour)),
  });
  expect(asleep).toBe(shown(asleepPerMonth));
  expect(ours['asleep, of the price always on']).toBe(
    `${((asleepPerMonth / monthly(awakePerHour)) * 100).toFixed(1)} %`,
  );

  const spot = await costOf(
    `${yaml}newInstanceTypes: { g4dn.xlarge: { vCpus: 4, memoryGiB: 16, gpus: 1, pricePerHour: 0.0521 } }\n`,
  );
  expect(ours['always on, GPUs at $0.0521']).toBe(shown(monthly(spot.awakePerHour)));
  expect(COST).toContain(
    `At the plan's GPU price ${((asleepPerMonth / monthly(spot.awakePerHour)) * 100).toFixed(1)} %.`,
  );
});

test('the month that the README quotes, of a cluster as init writes it', async () => {
  const { month } = await costOf(
    [
      'operatorCidrs: [203.0.113.7/32]',
      'schedules: [{ name: office, days: [mon, tue, wed, thu, fri], wake: "08:00", sleep: "19:00", timeZone: Europe/Berlin }]',
    ].join('\n'),
  );
  expect(read('README.md')).toContain(`A month by the schedules alone comes to $${month.bySchedules.toFixed(2)}.`);
  expect(read('README.md')).toContain(`cluster.yaml is written: about $${month.bySchedules.toFixed(0)} a month`);
});
