import Table from 'cli-table3';
import { colors } from '../../cli/terminal/colors';
import { HOURS_PER_MONTH } from '../../core/cost/prices';
import { describePrices, estimateCost } from '../../core/cost/estimate';
import type { ClusterConfig } from '../../core/config/schema';
import type { Check } from './checks';
import { awsVariables, type AwsEndpoint } from './environment';
import { seconds } from '../../cli/terminal/progress';
import type { WorkflowRun } from './workflow';

const pc = colors(process.stdout);
const STYLE = { head: [], border: [], 'padding-left': 0, 'padding-right': 2 };
/** Columns by white space alone, with one rule under the head. */
const CHARS = {
  ...Object.fromEntries(
    ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'].map((name) => [
      name,
      '',
    ]),
  ),
  ...{ left: '  ', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: '' },
};

function heads(...titles: string[]): string[] {
  return titles.map((title) => pc.dim(title));
}

export function workflowTable(workflows: readonly WorkflowRun[]): string {
  const table = new Table({
    head: heads('workflow', 'result', 'time', 'states', 'slowest state'),
    style: STYLE,
    chars: CHARS,
  });
  for (const { name, status, seconds: time, states } of workflows) {
    const slowest = [...states].sort((a, b) => b.seconds - a.seconds)[0];
    const result = status === 'SUCCEEDED' ? pc.green(status) : pc.red(status);
    table.push([
      name,
      result,
      seconds(time * 1000),
      states.length,
      slowest ? `${slowest.name} ${seconds(slowest.seconds * 1000)}` : '',
    ]);
  }
  return table.toString();
}

export function checkTable(checks: readonly Check[]): string {
  const table = new Table({
    head: heads('after', 'check', 'found', ''),
    style: STYLE,
    chars: CHARS,
    colWidths: [12, 46, 48, 4],
    wordWrap: true,
  });
  for (const { after, what, expected, found, ok } of checks) {
    table.push([
      after,
      what,
      ok ? found : `${found}\n${pc.red(`expected: ${expected}`)}`,
      ok ? pc.green('✓') : pc.red('✗'),
    ]);
  }
  return table.toString();
}

export function costTable(config: ClusterConfig): string {
  const estimate = estimateCost(config);
  const { awake, asleep, awakePerHour, asleepPerMonth } = estimate;
  const { sum, notes } = describePrices(config, estimate);
  const table = new Table({
    head: heads(`cost in ${config.region}`, 'USD an hour', 'USD a month'),
    style: STYLE,
    chars: CHARS,
    colAligns: ['left', 'right', 'right'],
  });
  for (const { what, perHour } of awake) table.push([what, perHour.toFixed(4), (perHour * HOURS_PER_MONTH).toFixed(2)]);
  table.push([
    pc.bold('awake'),
    pc.bold(`${sum}${awakePerHour.toFixed(4)}`),
    pc.bold(`${sum}${(awakePerHour * HOURS_PER_MONTH).toFixed(2)}`),
  ]);
  const parts = asleep.map(({ what }) => what).join(' and ');
  table.push([
    pc.bold(`asleep (${parts})`),
    pc.bold((asleepPerMonth / HOURS_PER_MONTH).toFixed(4)),
    pc.bold(asleepPerMonth.toFixed(2)),
  ]);
  return [table.toString(), ...notes].join('\n');
}

/** How to drive a run that was left up. */
export function drivingGuide(aws: AwsEndpoint, cluster: string, apiUrl: string, account: string): string {
  const exports = Object.entries(awsVariables(aws))
    .map(([name, value]) => `  export ${name}=${value}`)
    .join('\n');
  // The API takes only signed requests, as in AWS.
  const curl = `curl --aws-sigv4 aws:amz:${aws.region}:execute-api --user ${account}:local`;
  const machine = `arn:aws:states:${aws.region}:${account}:stateMachine:${cluster}`;
  return [
    pc.bold('The embedded AWS stays up.'),
    `  endpoint     ${aws.endpoint}`,
    `  HTTP API     ${apiUrl}`,
    '',
    'For any AWS tool or SDK:',
    exports,
    `  export DROWSE_API_URL='${apiUrl}'`,
    '',
    'Try:',
    '  npx drowse status',
    `  ${curl} '${apiUrl}/status'`,
    `  ${curl} -X POST '${apiUrl}/wake'`,
    `  aws stepfunctions start-execution --state-machine-arn ${machine}-sleep --input '{"requestedBy":"me"}'`,
    `  aws ec2 describe-instances`,
    '',
    'Stop it with: make local-down',
  ].join('\n');
}
