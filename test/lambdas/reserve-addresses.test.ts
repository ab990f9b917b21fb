import {
  CreateSubnetCidrReservationCommand,
  DeleteSubnetCidrReservationCommand,
  EC2Client,
  GetSubnetCidrReservationsCommand,
} from '@aws-sdk/client-ec2';
import { mockClient } from 'aws-sdk-client-mock';
import { reserveAddresses } from '../../lambdas/reserve-addresses/handler';
import {
  AnswerNotDelivered,
  answerRequest,
  type CustomResourceRequest,
} from '../../lambdas/shared/step/custom-resource';
import { isAllowed } from '../access/support/evaluate';
import { rolesOf } from '../access/support/roles';
import { ACCOUNT, synthesize } from '../support/stacks';

const ec2 = mockClient(EC2Client);
/** What the subnet has; AWS's refusals by name, each once. */
let reserved: { id: string; cidr: string; type: string }[] = [];
let refusals: Partial<Record<'create' | 'delete' | 'get', string[]>> = {};
/** True: a creation happens although its answer gets lost. */
let lostAnswer = false;
const waited: number[] = [];

function refuse(call: 'create' | 'delete' | 'get'): void {
  const name = refusals[call]?.shift();
  if (name !== undefined) throw Object.assign(new Error(name), { name });
}

beforeEach(() => {
  reserved = [];
  refusals = {};
  lostAnswer = false;
  waited.length = 0;
  ec2.reset();
  ec2.on(GetSubnetCidrReservationsCommand).callsFake(() => {
    refuse('get');
    return {
      SubnetIpv4CidrReservations: reserved.map(({ id, cidr, type }) => ({
        SubnetCidrReservationId: id,
        Cidr: cidr,
        ReservationType: type,
      })),
    };
  });
  ec2
    .on(CreateSubnetCidrReservationCommand)
    .callsFake(({ Cidr, ReservationType }: { Cidr: string; ReservationType: string }) => {
      refuse('create');
      if (reserved.some(({ cidr }) => cidr === Cidr))
        throw Object.assign(new Error('overlaps'), { name: 'InvalidSubnetCidrReservation.Conflict' });
      reserved.push({ id: `scr-${String(reserved.length)}`, cidr: Cidr, type: ReservationType });
      if (lostAnswer) throw Object.assign(new Error('gone'), { name: 'TimeoutError' });
      return {};
    });
  ec2
    .on(DeleteSubnetCidrReservationCommand)
    .callsFake(({ SubnetCidrReservationId }: { SubnetCidrReservationId: string }) => {
      refuse('delete');
      reserved = reserved.filter(({ id }) => id !== SubnetCidrReservationId);
      return {};
    });
});

const PROPERTIES = { SubnetId: 'subnet-a', Cidr: '10.0.0.16/28', Description: 'seat 0' };
const ID = 'subnet-a|10.0.0.16/28';
const run = reserveAddresses({ ec2: new EC2Client(), wait: (ms) => Promise.resolve(waited.push(ms)) });
const ask = (RequestType: CustomResourceRequest['RequestType'], more: Partial<CustomResourceRequest> = {}) =>
  run({
    RequestType,
    ResponseURL: 'https://answers.example/1',
    StackId: 'stack',
    RequestId: 'request',
    LogicalResourceId: 'Seat0',
    ResourceProperties: PROPERTIES,
    ...more,
  });
const cidrs = () => reserved.map(({ cidr }) => cidr);

describe('reserve-addresses', () => {
  test('a creation reserves the block, and its ID says what', async () => {
    await expect(ask('Create')).resolves.toBe(ID);
    expect(reserved).toEqual([{ id: 'scr-0', cidr: '10.0.0.16/28', type: 'explicit' }]);
  });

  test('a repeated creation reserves nothing more', async () => {
    await ask('Create');
    await expect(ask('Create')).resolves.toBe(ID);
    expect(ec2.commandCalls(CreateSubnetCidrReservationCommand)).toHaveLength(1);
  });

  test('a creation whose answer got lost is found to be there', async () => {
    lostAnswer = true;
    await expect(ask('Create')).resolves.toBe(ID);
    expect(cidrs()).toEqual(['10.0.0.16/28']);
  });

  test('a block that somebody reserved as prefix is no reservation of ours', async () => {
    reserved = [{ id: 'scr-p', cidr: '10.0.0.16/28', type: 'prefix' }];
    await expect(ask('Create')).rejects.toThrow('overlaps');
  });

  test('an update without change finds what is there', async () => {
    await ask('Create');
    await expect(ask('Update', { PhysicalResourceId: ID })).resolves.toBe(ID);
    expect(cidrs()).toEqual(['10.0.0.16/28']);
  });

  test('an update to another block makes another resource, and the old one goes by a request of its own', async () => {
    await ask('Create');
    const next = { ...PROPERTIES, Cidr: '10.1.0.16/28' };
    await expect(ask('Update', { PhysicalResourceId: ID, ResourceProperties: next })).resolves.toBe(
      'subnet-a|10.1.0.16/28',
    );
    expect(cidrs()).toEqual(['10.0.0.16/28', '10.1.0.16/28']);
    await ask('Delete', { PhysicalResourceId: ID });
    expect(cidrs()).toEqual(['10.1.0.16/28']);
  });

  test('a deletion removes this block and no other, and may be repeated', async () => {
    reserved = [{ id: 'scr-x', cidr: '10.0.0.32/28', type: 'explicit' }];
    await ask('Create');
    await expect(ask('Delete', { PhysicalResourceId: ID })).resolves.toBe(ID);
    await expect(ask('Delete', { PhysicalResourceId: ID })).resolves.toBe(ID);
    expect(cidrs()).toEqual(['10.0.0.32/28']);
  });

  test('a deletion of what was never made, or whose subnet is gone, is done', async () => {
    await expect(ask('Delete', { PhysicalResourceId: 'never-made' })).resolves.toBe('never-made');
    expect(ec2.calls()).toEqual([]);
    refusals = { get: ['InvalidSubnetID.NotFound'] };
    await expect(ask('Delete', { PhysicalResourceId: ID })).resolves.toBe(ID);
  });

  test('a reservation that goes while it is deleted is gone', async () => {
    await ask('Create');
    refusals = { delete: ['InvalidSubnetCidrReservationID.NotFound'] };
    await expect(ask('Delete', { PhysicalResourceId: ID })).resolves.toBe(ID);
  });

  test('a role that AWS does not know yet is waited for', async () => {
    refusals = { get: ['UnauthorizedOperation', 'UnauthorizedOperation'], create: [] };
    await expect(ask('Create')).resolves.toBe(ID);
    expect(waited).toEqual([5_000, 5_000]);
  });

  test('a role that never gets its right fails within a minute, by name', async () => {
    refusals = { get: Array.from({ length: 50 }, () => 'UnauthorizedOperation') };
    await expect(ask('Create')).rejects.toMatchObject({ name: 'UnauthorizedOperation' });
    expect(waited.reduce((sum, ms) => sum + ms, 0)).toBeLessThan(60_000);
  });

  test.each([
    ['create', 'RequestLimitExceeded'],
    ['create', 'InvalidSubnetID.NotFound'],
    ['get', 'InternalError'],
  ] as const)('%s: %s is what it says', async (call, name) => {
    refusals = { [call]: [name] };
    await expect(ask('Create')).rejects.toMatchObject({ name });
  });

  test('properties that are none are refused', async () => {
    await expect(ask('Create', { ResourceProperties: { SubnetId: 'subnet-a' } })).rejects.toMatchObject({
      name: 'InvalidInput',
    });
  });
});

describe('the answer to CloudFormation', () => {
  const REQUEST = {
    RequestType: 'Create',
    ResponseURL: 'https://answers.example/1',
    StackId: 'stack',
    RequestId: 'request',
    LogicalResourceId: 'Seat0',
    ResourceProperties: {},
  };
  const sent: { url: string; body: Record<string, unknown> }[] = [];
  let statuses: (number | Error)[] = [];
  const answering = {
    put: (url: string, body: string) => {
      sent.push({ url, body: JSON.parse(body) as Record<string, unknown> });
      const status = statuses.shift() ?? 200;
      return status instanceof Error ? Promise.reject(status) : Promise.resolve({ status });
    },
    wait: () => Promise.resolve(),
  };
  beforeEach(() => {
    sent.length = 0;
    statuses = [];
  });

  test('tells what was made', async () => {
    await answerRequest(REQUEST, () => Promise.resolve('made'), answering);
    expect(sent).toEqual([
      {
        url: REQUEST.ResponseURL,
        body: {
          StackId: 'stack',
          RequestId: 'request',
          LogicalResourceId: 'Seat0',
          Status: 'SUCCESS',
          PhysicalResourceId: 'made',
        },
      },
    ]);
  });

  test('tells why nothing was made, in words that fit', async () => {
    await answerRequest(REQUEST, () => Promise.reject(new Error('x'.repeat(2_000))), answering);
    expect(sent[0]?.body).toMatchObject({ Status: 'FAILED', PhysicalResourceId: 'never-made' });
    expect(String(sent[0]?.body.Reason)).toMatch(/^Error: x{900}/);
    expect(JSON.stringify(sent[0]?.body).length).toBeLessThan(4_096);
  });

  test('a failed update keeps the ID: what is there stays the resource', async () => {
    const update = { ...REQUEST, RequestType: 'Update', PhysicalResourceId: ID };
    await answerRequest(update, () => Promise.reject(new Error('no')), answering);
    expect(sent[0]?.body).toMatchObject({ Status: 'FAILED', PhysicalResourceId: ID });
  });

  test('tries again where the answer is not taken', async () => {
    statuses = [503, new Error('reset')];
    await answerRequest(REQUEST, () => Promise.resolve('made'), answering);
    expect(sent).toHaveLength(3);
  });

  test('an answer that nobody takes fails the function, so that Lambda calls it again', async () => {
    statuses = [503, 503, 503, 503];
    await expect(answerRequest(REQUEST, () => Promise.resolve('made'), answering)).rejects.toThrow(AnswerNotDelivered);
  });
});

describe('what it may do', () => {
  const role = rolesOf(synthesize()).find(({ description }) => description === 'Custom resource reserve-addresses')!;
  const subnet = (id: string) => `arn:aws:ec2:us-east-1:${ACCOUNT}:subnet/${id}`;
  const own = role.statements.flatMap(({ Sid, Resource }) => (Sid === 'ReserveAddresses' ? [Resource].flat() : []));

  test('every call that it makes, and a reservation in the seat’s subnet only', async () => {
    expect(own).toHaveLength(1);
    const may = (action: string, resource: string) => isAllowed(role, { action: `ec2:${action}`, resource });
    await expect(may('CreateSubnetCidrReservation', own[0]!)).resolves.toBe(true);
    await expect(may('CreateSubnetCidrReservation', subnet('subnet-of-another'))).resolves.toBe(false);
    await expect(may('GetSubnetCidrReservations', '*')).resolves.toBe(true);
    await expect(may('DeleteSubnetCidrReservation', '*')).resolves.toBe(true);
    expect(role.statements.flatMap(({ Action }) => Action).sort()).toEqual([
      'ec2:CreateSubnetCidrReservation',
      'ec2:DeleteSubnetCidrReservation',
      'ec2:GetSubnetCidrReservations',
      'logs:CreateLogStream',
      'logs:PutLogEvents',
    ]);
  });
});
