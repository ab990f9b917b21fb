import { ACCOUNT, type CfnTemplate } from '../../support/stacks';

const REGION = 'us-east-1';
const PSEUDO: Readonly<Record<string, string>> = {
  'AWS::Region': REGION,
  'AWS::AccountId': ACCOUNT,
  'AWS::Partition': 'aws',
  'AWS::URLSuffix': 'amazonaws.com',
};
const arn = (service: string, rest: string) => `arn:aws:${service}:${REGION}:${ACCOUNT}:${rest}`;

/** Physical names of the resources that policies refer to, as AWS would make them from the template. */
function physicalId(template: CfnTemplate, id: string): string {
  const { Type, Properties = {} } = template.Resources[id] ?? {};
  const name = (property: string) => String(resolve(Properties[property] ?? id, template, {}));
  switch (Type) {
    case 'AWS::StepFunctions::StateMachine':
      return arn('states', `stateMachine:${name('StateMachineName')}`);
    case 'AWS::DynamoDB::Table':
      return name('TableName');
    case 'AWS::S3::Bucket':
      return name('BucketName');
    case 'AWS::SNS::Topic':
      return arn('sns', name('TopicName'));
    default:
      return id;
  }
}

function attribute(template: CfnTemplate, id: string, wanted: string): string {
  const { Type, Properties = {} } = template.Resources[id] ?? {};
  const name = (property: string) => String(resolve(Properties[property] ?? id, template, {}));
  if (wanted !== 'Arn') return `${id}.${wanted}`;
  switch (Type) {
    case 'AWS::Logs::LogGroup':
      return arn('logs', `log-group:${name('LogGroupName')}:*`);
    case 'AWS::Lambda::Function':
      return arn('lambda', `function:${name('FunctionName')}`);
    case 'AWS::DynamoDB::Table':
      return arn('dynamodb', `table/${name('TableName')}`);
    case 'AWS::S3::Bucket':
      return `arn:aws:s3:::${name('BucketName')}`;
    case 'AWS::SQS::Queue':
      return arn('sqs', name('QueueName'));
    default:
      return arn('unknown', id);
  }
}

type Intrinsic = Record<string, unknown>;

/** A value of a template with its intrinsic functions worked out, imports from the other templates included. */
export function resolve(value: unknown, template: CfnTemplate, others: Readonly<Record<string, CfnTemplate>>): unknown {
  if (Array.isArray(value)) return value.map((item) => resolve(item, template, others));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value as Intrinsic);
  const [[key, argument] = ['', undefined]] = entries;
  if (entries.length === 1) {
    const list = resolve(argument, template, others) as string[];
    switch (key) {
      case 'Ref':
        return PSEUDO[argument as string] ?? physicalId(template, argument as string);
      case 'Fn::GetAtt':
        return attribute(template, list[0] ?? '', list[1] ?? '');
      case 'Fn::Join':
        return (list[1] as unknown as string[]).join(list[0]);
      case 'Fn::Select':
        return (list[1] as unknown as string[])[Number(list[0])];
      case 'Fn::Split':
        return (list[1] ?? '').split(list[0] ?? '');
      case 'Fn::Sub':
        return String(argument).replace(/\$\{(AWS::\w+)\}/g, (_, name: string) => PSEUDO[name] ?? name);
      case 'Fn::ImportValue':
        return importedValue(String(list), others);
    }
  }
  return Object.fromEntries(entries.map(([name, inner]) => [name, resolve(inner, template, others)]));
}

function importedValue(name: string, others: Readonly<Record<string, CfnTemplate>>): unknown {
  for (const template of Object.values(others)) {
    for (const output of Object.values(template.Outputs ?? {}) as { Value: unknown; Export?: { Name: string } }[]) {
      if (output.Export?.Name === name) return resolve(output.Value, template, others);
    }
  }
  throw new Error(`No template exports ${name}`);
}
