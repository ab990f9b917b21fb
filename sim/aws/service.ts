/** A command of the SDK: its class's name is the action's. */
interface Command {
  input: object;
}

/** An action's answer. The SDK's `$metadata` is added by the client. */
type Answer<Input> = (input: Input) => object;

/** A model of one AWS service: answers by command. Its state is its own; time is whatever `Date` and timers say. */
export abstract class Service {
  /** IAM's prefix of the service. */
  abstract readonly prefix: string;
  private readonly answers = new Map<string, Answer<never>>();

  /** Answers an action of the service. */
  protected on<C extends new (...input: never[]) => Command>(
    command: C,
    answer: Answer<InstanceType<C>['input']>,
  ): void {
    this.answers.set(actionOf(command), answer);
  }

  /** @throws Error if the model does not know the action: a handler calls something that must be modelled first */
  answer(command: Command): object {
    const action = actionOf(command.constructor);
    const answer = this.answers.get(action);
    if (!answer) throw new Error(`The model of ${this.prefix} does not know ${action}`);
    // A copy each way, as over the wire: nobody holds on to the model's state.
    return copy(answer(copy(command.input) as never));
  }
}

// Looked up once: in a jest context each look-up of a global takes longer than what it is needed for.
const { isArray } = Array;
const { getPrototypeOf, prototype: plain } = Object;

/** As `structuredClone`, which would be a third of a large cluster's time: what goes over the wire is mostly plain. */
function copy<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null) return value;
  if (isArray(value)) return value.map(copy) as Value;
  if (getPrototypeOf(value) !== plain) return structuredClone(value);
  const result: Partial<Value> = {};
  for (const key in value) result[key] = copy(value[key]);
  return result as Value;
}

/** `DescribeInstances` of `DescribeInstancesCommand`. */
export function actionOf({ name }: { name: string }): string {
  return name.replace(/Command$/, '');
}

/** Runs something later in virtual time (ms). Whatever it throws is a mistake in the model, and ends the process. */
export function after(ms: number, run: () => void): void {
  setTimeout(run, ms);
}

/** Tag list to record. */
export function tagsOf(tags: readonly { Key?: string | undefined; Value?: string | undefined }[] | undefined) {
  return Object.fromEntries((tags ?? []).map(({ Key = '', Value = '' }) => [Key, Value]));
}

/** Record to tag list. */
export function tagList(tags: Readonly<Record<string, string>>): { Key: string; Value: string }[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}

interface Filter {
  Name?: string | undefined;
  Values?: string[] | undefined;
}

/**
 * True if something with these tags and fields passes all filters: `tag:<key>`, `tag-key`, or the name of a field.
 * @throws Error on a filter that is neither: AWS would refuse it
 */
export function passes(
  filters: readonly Filter[] | undefined,
  tags: Readonly<Record<string, string>>,
  fields: Readonly<Record<string, string>> = {},
): boolean {
  return (filters ?? []).every(({ Name = '', Values = [] }) => {
    if (Name.startsWith('tag:')) return Values.includes(tags[Name.slice(4)] ?? '\0');
    if (Name === 'tag-key') return Values.some((key) => key in tags);
    if (!(Name in fields)) throw new Error(`The model does not know the filter ${Name}`);
    return Values.includes(fields[Name] ?? '');
  });
}
