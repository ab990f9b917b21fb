import { ConditionalCheckFailedException, ResourceNotFoundException } from '@aws-sdk/client-dynamodb';
import { DeleteCommand, GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { details } from './errors';
import { holds, InvalidExpression, type Item, type Substitutions, updated } from './expressions';
import { Service } from './service';

interface Conditional {
  ConditionExpression?: string | undefined;
  ExpressionAttributeNames?: Record<string, string> | undefined;
  ExpressionAttributeValues?: Record<string, unknown> | undefined;
}

/** DynamoDB's document client: one table with the string key `id`, and conditional writes. */
export class Dynamo extends Service {
  readonly prefix = 'dynamodb';
  readonly items = new Map<string, Item>();

  constructor(private readonly table: string) {
    super();
    this.on(GetCommand, ({ TableName, Key }) => {
      const Item = this.items.get(this.key(TableName, Key));
      return Item ? { Item } : {};
    });
    this.on(PutCommand, (input) => {
      const key = this.key(input.TableName, input.Item);
      this.check(key, input);
      // As on the way to the real one: undefined fields are left out.
      this.items.set(key, JSON.parse(JSON.stringify(input.Item)) as Item);
      return {};
    });
    this.on(DeleteCommand, (input) => {
      const key = this.key(input.TableName, input.Key);
      this.check(key, input);
      this.items.delete(key);
      return {};
    });
    this.on(UpdateCommand, (input) => {
      const key = this.key(input.TableName, input.Key);
      const substitutions = this.check(key, input);
      const before = this.items.get(key) ?? { ...input.Key };
      const after = updated(input.UpdateExpression ?? '', before, substitutions);
      this.items.set(key, JSON.parse(JSON.stringify(after)) as Item);
      return input.ReturnValues === 'ALL_NEW' ? { Attributes: after } : {};
    });
  }

  private key(table: string | undefined, key: Item | undefined): string {
    if (table !== this.table) {
      throw new ResourceNotFoundException(details(`Cannot do operations on a non-existent table: ${table ?? ''}`));
    }
    if (typeof key?.id !== 'string') throw new InvalidExpression('The provided key element does not match the schema');
    return key.id;
  }

  private check(key: string, input: Conditional): Substitutions {
    const { ConditionExpression, ExpressionAttributeNames = {}, ExpressionAttributeValues = {} } = input;
    const substitutions = { names: ExpressionAttributeNames, values: ExpressionAttributeValues };
    this.checkUse(input, substitutions);
    const holding =
      ConditionExpression === undefined || holds(ConditionExpression, this.items.get(key) ?? {}, substitutions);
    if (!holding) throw new ConditionalCheckFailedException(details('The conditional request failed'));
    return substitutions;
  }

  /** DynamoDB refuses a name or value that no expression uses. */
  private checkUse(
    input: Conditional & { UpdateExpression?: string | undefined },
    { names, values }: Substitutions,
  ): void {
    if (input.ExpressionAttributeValues && Object.keys(values).length === 0) {
      throw new InvalidExpression('ExpressionAttributeValues must not be empty');
    }
    const text = `${input.ConditionExpression ?? ''} ${input.UpdateExpression ?? ''} `;
    for (const token of [...Object.keys(names), ...Object.keys(values)]) {
      if (!new RegExp(`${token}\\W`).test(text)) {
        throw new InvalidExpression(`Value unused in expressions: keys: {${token}}`);
      }
    }
  }
}
