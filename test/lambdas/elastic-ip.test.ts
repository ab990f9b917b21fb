import {
  AssociateAddressCommand,
  DescribeAddressesCommand,
  DisassociateAddressCommand,
  EC2Client,
} from '@aws-sdk/client-ec2';
import { mockClient } from 'aws-sdk-client-mock';
import { InstanceNotRunning } from '../../lambdas/shared/step/errors';
import { giveElasticIp } from '../../lambdas/shared/ec2/elastic-ip';

const ec2 = mockClient(EC2Client);
beforeEach(() => ec2.reset());

const SEEN = { id: 'eipalloc-1', holder: 'i-old', association: 'eipassoc-old' };
const give = () => giveElasticIp(new EC2Client(), SEEN, 'i-new');

/** Where the address is by the time somebody looks again. */
function isNow(InstanceId?: string, AssociationId?: string): void {
  ec2.on(DescribeAddressesCommand).resolves({ Addresses: [{ InstanceId, AssociationId }] });
}

function named(name: string): Error {
  return Object.assign(new Error(name), { name });
}

const given = () => ec2.commandCalls(AssociateAddressCommand).map(({ args }) => args[0].input);

test('the address goes from where it was seen to the instance', async () => {
  ec2.on(DisassociateAddressCommand).resolves({});
  ec2.on(AssociateAddressCommand).resolves({});
  await expect(give()).resolves.toBe('i-new');
  expect(ec2.commandCalls(DisassociateAddressCommand)[0]!.args[0].input).toEqual({ AssociationId: 'eipassoc-old' });
  expect(given()).toEqual([{ AllocationId: 'eipalloc-1', InstanceId: 'i-new', AllowReassociation: false }]);
});

test.each(['InvalidAssociationID.NotFound', 'UnauthorizedOperation'])(
  'an association that somebody replaced meanwhile (%s) stays',
  async (name) => {
    ec2.on(DisassociateAddressCommand).rejects(named(name));
    isNow('i-other', 'eipassoc-other');
    await expect(give()).resolves.toBe('i-other');
    expect(given()).toEqual([]);
  },
);

test.each(['UnauthorizedOperation', 'RequestLimitExceeded'])(
  'where the address still is where it was, %s is what it says',
  async (name) => {
    ec2.on(DisassociateAddressCommand).rejects(named(name));
    isNow('i-old', 'eipassoc-old');
    await expect(give()).rejects.toMatchObject({ name });
    expect(given()).toEqual([]);
  },
);

test('an answer that got lost does not keep the address from the instance', async () => {
  ec2.on(DisassociateAddressCommand).rejects(named('TimeoutError'));
  isNow();
  ec2.on(AssociateAddressCommand).resolves({});
  await expect(give()).resolves.toBe('i-new');
});

test('who gave it away in between has the last word', async () => {
  ec2.on(DisassociateAddressCommand).resolves({});
  ec2.on(AssociateAddressCommand).rejects(named('Resource.AlreadyAssociated'));
  isNow('i-other', 'eipassoc-other');
  await expect(give()).resolves.toBe('i-other');
});

test('an instance that went in between is told apart from other failures', async () => {
  ec2.on(DisassociateAddressCommand).resolves({});
  ec2.on(AssociateAddressCommand).rejects(named('InvalidInstanceID.NotFound'));
  await expect(give()).rejects.toThrow(InstanceNotRunning);
});
