/** The part of a template that the diagram is drawn from. */
export interface DiagramTemplate {
  Resources: Record<string, { Type: string; Properties?: Record<string, unknown> }>;
}

interface Node {
  id: string;
  label: string;
}

/** Types that are drawn: what a reader would name. Roles, policies, rules and log groups belong to one of them. */
const DRAWN: Readonly<Record<string, (properties: Record<string, unknown>, id: string) => string>> = {
  'AWS::EC2::VPC': ({ CidrBlock }) => `VPC ${text(CidrBlock)}`,
  'AWS::EC2::Subnet': ({ AvailabilityZone, CidrBlock }) => `public subnet ${text(AvailabilityZone)} ${text(CidrBlock)}`,
  'AWS::EC2::EIP': () => 'Elastic IP',
  'AWS::EC2::Volume': ({ Size, Tags }) => `state volume of seat ${tag(Tags, 'drowse:seat')}, ${text(Size)} GiB`,
  'AWS::S3::Bucket': () => 'bucket: node bundle, platform, snapshots, logs',
  'AWS::DynamoDB::Table': ({ TableName }) => `table ${text(TableName)}`,
  'AWS::AutoScaling::AutoScalingGroup': ({ AutoScalingGroupName, MaxSize }) =>
    `group ${text(AutoScalingGroupName)}, 0–${text(MaxSize)}`,
  'AWS::ElasticLoadBalancingV2::TargetGroup': () => 'target group of the API load balancer',
  'AWS::StepFunctions::StateMachine': ({ StateMachineName }) => `workflow ${text(StateMachineName)}`,
  'AWS::ApiGatewayV2::Api': () => 'HTTP API: wake, status, overrides of the schedules',
  'AWS::SNS::Topic': () => 'topic of notifications',
  'AWS::Budgets::Budget': () => 'budget',
};

/** Types of which only the number is told, with the stack that they lie in. */
const COUNTED: Readonly<Record<string, string>> = {
  'AWS::Lambda::Function': 'functions',
  'AWS::SSM::Document': 'commands for nodes',
  'AWS::CloudWatch::Alarm': 'alarms',
  'AWS::EC2::SecurityGroup': 'security groups',
  'AWS::IAM::Role': 'roles',
};

/**
 * Draws what the stacks are made of, as a Mermaid flow chart: a box a stack, and an arrow where one stack uses what
 * another one exports, or a workflow starts another.
 */
export function drawStacks(templates: Readonly<Record<string, DiagramTemplate>>): string {
  const boxes = Object.entries(templates).map(([stack, { Resources }]) => {
    const nodes = Object.entries(Resources).flatMap(([id, { Type, Properties = {} }]): Node[] => {
      const label = DRAWN[Type]?.(Properties, id);
      return label === undefined ? [] : [{ id: `${stack}_${id}`, label }];
    });
    const counts = Object.entries(COUNTED).flatMap(([type, name]): Node[] => {
      const count = Object.values(Resources).filter(({ Type }) => Type === type).length;
      return count === 0 ? [] : [{ id: `${stack}_${name.replaceAll(' ', '_')}`, label: `${name}: ${String(count)}` }];
    });
    const lines = [...nodes, ...counts].map(({ id, label }) => `    ${id}["${label}"]`);
    return [`  subgraph ${stack}`, ...lines, '  end'].join('\n');
  });
  return ['flowchart LR', ...boxes, ...arrowsBetween(templates)].join('\n');
}

/** `operations --> foundation` for each import, and what starts a workflow. */
function arrowsBetween(templates: Readonly<Record<string, DiagramTemplate>>): string[] {
  const names = Object.keys(templates);
  const uses = names.flatMap((stack) => {
    const source = JSON.stringify(templates[stack]);
    return names
      .filter((other) => other !== stack && source.includes(`-${other}:ExportsOutput`))
      .map((other) => `  ${stack} --> ${other}`);
  });
  const starts = Object.entries(templates).flatMap(([stack, { Resources }]) =>
    Object.entries(Resources).flatMap(([id, { Type, Properties = {} }]) =>
      Type === 'AWS::StepFunctions::StateMachine'
        ? referencesIn(Properties.DefinitionSubstitutions)
            .filter((other) => Resources[other]?.Type === Type)
            .map((other) => `  ${stack}_${id} -->|starts| ${stack}_${other}`)
        : [],
    ),
  );
  return [...uses, ...starts];
}

/** Logical IDs to which a value refers. */
function referencesIn(value: unknown): string[] {
  return [...JSON.stringify(value ?? null).matchAll(/"(?:Ref|Fn::GetAtt)":\[?"(\w+)"/g)].map(([, id = '']) => id);
}

function text(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

function tag(tags: unknown, key: string): string {
  const found = (tags as { Key: string; Value: string }[] | undefined)?.find(({ Key }) => Key === key);
  return found?.Value ?? '';
}

const BEGIN = '<!-- diagram:begin -->';
const END = '<!-- diagram:end -->';

/** A page with the diagram between its two marks. */
export function withDiagram(page: string, diagram: string): string {
  const [before = '', rest = ''] = page.split(BEGIN);
  const [, after = ''] = rest.split(END);
  return `${before}${BEGIN}\n\n\`\`\`mermaid\n${diagram}\n\`\`\`\n\n${END}${after}`;
}
