import { EVERYTHING } from '../support/configs';
import { ACCOUNT, resourcesOf, synthesize } from '../support/stacks';
import { isAllowed } from './support/evaluate';
import { resolve } from './support/resolve';
import { rolesOf, type SynthesizedRole } from './support/roles';

const { templates } = synthesize(EVERYTHING);
const foundation = templates.foundation!;
const only = (type: string, template = foundation) => resourcesOf(template, type)[0]![1].Properties!;
const { PolicyDocument } = only('AWS::S3::BucketPolicy');
const policy = resolve(PolicyDocument, foundation, templates) as object;

const BUCKET = `arn:aws:s3:::drowse-big-${ACCOUNT}-us-east-1`;
const DEPLOYER = 'drowse-big-us-east-1-deployer';
/** A role that its own policies let do everything, which an administrator's is. */
const almighty = (id: string): SynthesizedRole => ({
  id,
  stack: '',
  description: id,
  statements: [{ Effect: 'Allow', Action: '*', Resource: '*' }],
});
const may = (role: SynthesizedRole, action: string, key: string, tls = 'true') =>
  isAllowed(role, { action, resource: `${BUCKET}/${key}`, context: { 'aws:SecureTransport': tls } }, policy);

const TREE = `platform/${'a'.repeat(64)}.tar.gz`;
const BUNDLE = `node/${'a'.repeat(64)}.tar.gz`;

describe('what nodes run and what seats apply', () => {
  test.each([
    [TREE, 's3:PutObject'],
    [BUNDLE, 's3:PutObject'],
    [TREE, 's3:DeleteObject'],
    [BUNDLE, 's3:DeleteObjectVersion'],
  ])('%s: %s is the deployer’s alone, whatever else a role may', async (key, action) => {
    expect(await may(almighty('admin'), action, key)).toBe(false);
    expect(await may(almighty(`${DEPLOYER}-of-somebody`), action, key)).toBe(false);
    expect(await may(almighty(DEPLOYER), action, key)).toBe(true);
  });

  test('is read by whoever may, and everything else in the bucket is as its roles say', async () => {
    expect(await may(almighty('admin'), 's3:GetObject', TREE)).toBe(true);
    expect(await may(almighty('admin'), 's3:PutObject', 'snapshots/x/etcd.db')).toBe(true);
    expect(await may(almighty('admin'), 's3:PutObject', 'snapshots/x/etcd.db', 'false')).toBe(false);
  });

  test.each(['snapshots/x/etcd.db', 'snapshots/authorities-0123456789abcdef.age', 'images/list.json'])(
    'the uploader’s role writes nothing else, although the library grants it the whole bucket',
    async (key) => {
      for (const action of ['s3:PutObject', 's3:DeleteObject', 's3:DeleteObjectVersion', 's3:PutObjectTagging']) {
        expect(await may(almighty(DEPLOYER), action, key)).toBe(false);
      }
    },
  );

  test('is laid there by the role of that name, which only the upload’s function has', () => {
    const named = resourcesOf(templates.cluster, 'AWS::IAM::Role').filter(
      ([, { Properties: role }]) => role?.RoleName === DEPLOYER,
    );
    expect(named).toHaveLength(1);
    const [[id]] = named as [[string, object]];
    const users = resourcesOf(templates.cluster, 'AWS::Lambda::Function').filter(([, { Properties: one }]) =>
      JSON.stringify(one?.Role).includes(id),
    );
    expect(users.map(([name]) => name)).toEqual([expect.stringMatching(/^CustomCDKBucketDeployment/)]);
  });

  test('no role but the deployer’s is even granted to write there, and none writes the word of what to apply', async () => {
    const roles = rolesOf({ templates }).filter(({ description }) => !description.startsWith('Lays node bundle'));
    expect(roles.length).toBeGreaterThan(50);
    const parameter = `arn:aws:ssm:us-east-1:${ACCOUNT}:parameter/drowse/big/platform`;
    const could: string[] = [];
    for (const role of roles) {
      for (const key of [TREE, BUNDLE]) {
        if (await isAllowed(role, { action: 's3:PutObject', resource: `${BUCKET}/${key}` })) could.push(role.id);
      }
      if (await isAllowed(role, { action: 'ssm:PutParameter', resource: parameter })) could.push(role.id);
    }
    expect(could).toEqual([]);
  });
});

test('writes of the bucket’s objects are in the audit trail, by whom and of what', () => {
  const trail = only('AWS::CloudTrail::Trail', templates.audit);
  const { AdvancedEventSelectors } = resolve(trail, templates.audit!, templates) as Record<string, object[]>;
  expect(AdvancedEventSelectors).toEqual([
    expect.objectContaining({ FieldSelectors: [{ Field: 'eventCategory', Equals: ['Management'] }] }),
    expect.objectContaining({
      FieldSelectors: [
        { Field: 'eventCategory', Equals: ['Data'] },
        { Field: 'resources.type', Equals: ['AWS::S3::Object'] },
        { Field: 'readOnly', Equals: ['false'] },
        { Field: 'resources.ARN', StartsWith: [`${BUCKET}/`] },
      ],
    }),
  ]);
});
