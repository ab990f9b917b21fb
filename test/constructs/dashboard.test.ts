import { estimateCost } from '../../core/cost/estimate';
import { HOURS_PER_MONTH } from '../../core/cost/prices';
import { parseConfig } from '../../lib/config/load';
import { EVERYTHING } from '../support/configs';
import { resourcesOf, synthesize } from '../support/stacks';

interface Widget {
  type: string;
  properties: { title?: string; query?: string; metrics?: unknown[][]; alarms?: unknown[]; markdown?: string };
}

const { operations } = synthesize(EVERYTHING).templates;

/** The dashboard as CloudWatch gets it, with a word for each name that AWS gives. */
function widgets(): Widget[] {
  const [[, dashboard] = []] = resourcesOf(operations, 'AWS::CloudWatch::Dashboard');
  const body = dashboard?.Properties?.DashboardBody as { 'Fn::Join': [string, unknown[]] };
  const text = body['Fn::Join'][1].map((part) =>
    typeof part === 'string' ? part : JSON.stringify(part).replace(/\W+/g, '_'),
  );
  return (JSON.parse(text.join('')) as { widgets: Widget[] }).widgets;
}
const named = (title: string): Widget['properties'] =>
  widgets().find(({ properties }) => properties.title === title)!.properties;

test('there is one only where the configuration asks for it: only three are free in an account', () => {
  expect(resourcesOf(synthesize().templates.operations, 'AWS::CloudWatch::Dashboard')).toEqual([]);
  expect(resourcesOf(operations, 'AWS::CloudWatch::Dashboard')).toHaveLength(1);
});

test('it names fewer than fifty metrics, or it would not be one of the free ones', () => {
  const isMetric = (row: unknown[]) => typeof row[0] === 'string';
  const metrics = widgets()
    .flatMap(({ properties }) => properties.metrics ?? [])
    .filter(isMetric);
  expect(metrics.length).toBeGreaterThan(20);
  expect(metrics.length).toBeLessThan(50);
});

test('every workflow has its time and its failures, every alarm its state', () => {
  const workflows = resourcesOf(operations, 'AWS::StepFunctions::StateMachine').length;
  const labelled = (title: string) => JSON.stringify(named(title).metrics).match(/"label":"[^"]+"/g) ?? [];
  expect(labelled('Workflows: how long they took, in minutes')).toHaveLength(workflows);
  expect(labelled('Workflows that failed, ran out of time or were stopped')).toHaveLength(3 * workflows);
  expect(named('Alarms').alarms).toHaveLength(resourcesOf(operations, 'AWS::CloudWatch::Alarm').length);
});

test('cost goes from the rate asleep to the rate awake with the minutes of an hour in which the API answered', () => {
  const rows = named('Cost, USD an hour by list prices').metrics as { expression?: string }[][];
  const expression = rows.flat().find((one) => one.expression)!.expression!;
  expect(expression).toMatch(/^[\d.]+ \+ FILL\(minutes, 0\) \/ 60 \* [\d.]+$/);
  const [asleep = 0, more = 0] = expression.match(/\d+\.\d+/g)!.map(Number);
  const { awakePerHour, asleepPerMonth } = estimateCost(parseConfig(EVERYTHING));
  expect(asleep).toBeCloseTo(asleepPerMonth / HOURS_PER_MONTH, 3);
  expect(asleep + more).toBeCloseTo(awakePerHour, 3);
});

test('its questions go to the log groups of the workflows, and use what their entries are made of', () => {
  const groups = resourcesOf(operations, 'AWS::Logs::LogGroup').map(([, { Properties }]) =>
    String(Properties?.LogGroupName),
  );
  const workflows = groups.filter((name) => name.startsWith('/aws/vendedlogs/states/')).sort();
  for (const title of ['Steps by time, in seconds', 'Failures']) {
    const { query = '' } = named(title);
    expect([...query.matchAll(/SOURCE '([^']+)'/g)].map(([, group]) => group).sort()).toEqual(workflows);
  }
  expect(named('Steps by time, in seconds').query).toContain('details.name as step');
});
