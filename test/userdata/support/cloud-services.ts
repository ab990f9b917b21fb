import { createHash } from 'node:crypto';
import type { CloudState, Instance } from './cloud-state';

/** An answer of a service. */
export interface Answer {
  readonly status: number;
  readonly body: string | Buffer;
  readonly headers?: Record<string, string>;
  /** What the call is called in the list of calls; undefined keeps it out of the list. */
  readonly call?: string;
}

const xml = (action: string, body: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<${action}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>r</requestId>${body}</${action}Response>`;
const set = (name: string, items: readonly string[]): string =>
  items.length === 0 ? `<${name}/>` : `<${name}>${items.map((item) => `<item>${item}</item>`).join('')}</${name}>`;
const tags = (all: Record<string, string>): string =>
  set(
    'tagSet',
    Object.entries(all).map(([key, value]) => `<key>${key}</key><value>${value}</value>`),
  );

/** Names and addresses of an instance, as DescribeInstances of a region in its first zone's naming shows them. */
function addressesOf(state: CloudState, { privateIp, publicIp, interfaceId }: Instance): string {
  const dashed = (address: string): string => address.replaceAll('.', '-');
  const addresses = state.interfaces.find(({ id }) => id === interfaceId)?.addresses ?? [];
  return (
    `<privateDnsName>ip-${dashed(privateIp)}.ec2.internal</privateDnsName><privateIpAddress>${privateIp}</privateIpAddress>` +
    (publicIp === undefined
      ? '<dnsName/>'
      : `<dnsName>ec2-${dashed(publicIp)}.compute-1.amazonaws.com</dnsName><ipAddress>${publicIp}</ipAddress>`) +
    set('networkInterfaceSet', [
      set(
        'privateIpAddressesSet',
        addresses.map((address) => `<privateIpAddress>${address}</privateIpAddress>`),
      ),
    ])
  );
}

/** The values of a numbered parameter. */
function valuesOf(form: URLSearchParams, name: string): string[] {
  return [...form].filter(([key]) => key.startsWith(`${name}.`)).map(([, value]) => value);
}

function ec2Error(code: string): Answer {
  return {
    status: 400,
    body: `<Response><Errors><Error><Code>${code}</Code><Message>test</Message></Error></Errors></Response>`,
  };
}

/** EC2's query API, as far as nodes call it. */
export function ec2(state: CloudState, caller: Instance, form: URLSearchParams): Answer {
  const action = form.get('Action') ?? '';
  const value = (name: string): string => form.get(name) ?? '';
  switch (action) {
    case 'CreateTags': {
      const instance = state.instances[value('ResourceId.1')];
      if (instance === undefined) return ec2Error('InvalidID');
      for (let i = 1; form.has(`Tag.${String(i)}.Key`); i++) {
        instance.tags[value(`Tag.${String(i)}.Key`)] = value(`Tag.${String(i)}.Value`);
      }
      state.phases.push(instance.tags['drowse:phase'] ?? '');
      return {
        status: 200,
        body: xml(action, '<return>true</return>'),
        call: `CreateTags drowse:phase=${instance.tags['drowse:phase'] ?? ''}`,
      };
    }
    case 'DescribeVolumes': {
      for (const volume of state.volumes) {
        if (volume.freeAfter !== undefined && --volume.freeAfter < 0) {
          volume.holder = undefined;
          delete volume.freeAfter;
        }
      }
      const items = state.volumes.map(
        (volume) =>
          `<volumeId>${volume.id}</volumeId><availabilityZone>${volume.zone}</availabilityZone><status>${volume.holder === undefined ? 'available' : 'in-use'}</status>` +
          set(
            'attachmentSet',
            volume.holder === undefined ? [] : [`<instanceId>${volume.holder}</instanceId><status>attached</status>`],
          ) +
          tags(volume.tags),
      );
      return { status: 200, body: xml(action, set('volumeSet', items)), call: action };
    }
    case 'AttachVolume': {
      const volume = state.volumes.find((one) => one.id === value('VolumeId'));
      if (volume === undefined || volume.holder !== undefined) return ec2Error('VolumeInUse');
      volume.holder = value('InstanceId');
      return { status: 200, body: xml(action, '<status>attaching</status>'), call: `${action} ${volume.id}` };
    }
    case 'DescribeNetworkInterfaces': {
      for (const one of state.interfaces) {
        if (one.freeAfter !== undefined && --one.freeAfter < 0) one.addresses = one.addresses.slice(0, 1);
      }
      const items = state.interfaces.map(
        (one) =>
          `<networkInterfaceId>${one.id}</networkInterfaceId><subnetId>${one.subnet}</subnetId>` +
          set(
            'privateIpAddressesSet',
            one.addresses.map((address) => `<privateIpAddress>${address}</privateIpAddress>`),
          ),
      );
      return { status: 200, body: xml(action, set('networkInterfaceSet', items)), call: action };
    }
    case 'AssignPrivateIpAddresses': {
      const address = value('PrivateIpAddress.1');
      if (state.interfaces.some((one) => one.addresses.includes(address))) return ec2Error('InvalidParameterValue');
      state.interfaces.find((one) => one.id === value('NetworkInterfaceId'))?.addresses.push(address);
      return { status: 200, body: xml(action, '<return>true</return>'), call: `${action} ${address}` };
    }
    case 'DescribeInstances': {
      const ids = value('Filter.1.Name') === 'instance-id' ? valuesOf(form, 'Filter.1.Value') : undefined;
      const items = Object.values(state.instances)
        .filter(({ id }) => ids === undefined || ids.includes(id))
        .map((one) =>
          set('instancesSet', [
            `<instanceId>${one.id}</instanceId><instanceState><name>${one.state}</name></instanceState>` +
              `<launchTime>${one.started ?? new Date().toISOString()}</launchTime>` +
              addressesOf(state, one) +
              tags(one.tags),
          ]),
        );
      return { status: 200, body: xml(action, set('reservationSet', items)), call: action };
    }
    default:
      throw new Error(`nodes call EC2 ${action} (from ${caller.id}), which the tests do not know`);
  }
}

/** Auto Scaling's query API. */
export function autoScaling(state: CloudState, form: URLSearchParams): Answer {
  const action = form.get('Action') ?? '';
  if (action !== 'DescribeAutoScalingInstances') throw new Error(`nodes call Auto Scaling ${action}`);
  const ids = valuesOf(form, 'InstanceIds.member');
  const members = ids.flatMap((id) => {
    const group = state.instances[id]?.group;
    return group === undefined
      ? []
      : [
          `<member><InstanceId>${id}</InstanceId><LifecycleState>${group.lifecycle}</LifecycleState>` +
            `<AutoScalingGroupName>${group.name}</AutoScalingGroupName></member>`,
        ];
  });
  const body = `<${action}Result><AutoScalingInstances>${members.join('')}</AutoScalingInstances></${action}Result>`;
  return {
    status: 200,
    body: `<${action}Response xmlns="http://autoscaling.amazonaws.com/doc/2011-01-01/">${body}</${action}Response>`,
    call: action,
  };
}

/** CloudWatch's query API: one metric a call. */
export function monitoring(state: CloudState, form: URLSearchParams): Answer {
  const value = (name: string): string => form.get(`MetricData.member.1.${name}`) ?? '';
  const dimensions = [1, 2].map(
    (n) => `${value(`Dimensions.member.${String(n)}.Name`)}=${value(`Dimensions.member.${String(n)}.Value`)}`,
  );
  state.metrics.push(`${form.get('Namespace') ?? ''} ${value('MetricName')} ${dimensions.join(' ')} ${value('Value')}`);
  return { status: 200, body: xml('PutMetricData', ''), call: 'PutMetricData' };
}

function jsonError(code: string): Answer {
  return { status: 400, body: JSON.stringify({ __type: code, message: 'test' }) };
}

/** Bodies of the JSON calls that nodes make. */
export interface Request {
  readonly Name?: string;
  readonly Type?: string;
  readonly Value?: string;
  readonly Overwrite?: boolean;
  readonly Tags?: readonly { readonly Key: string; readonly Value: string }[];
  readonly logEvents?: readonly { readonly message: string }[];
}

/** SSM and CloudWatch Logs, as far as nodes call them. */
export function json(state: CloudState, target: string, body: Request): Answer {
  const name = body.Name ?? '';
  const ok = (answer: object, call?: string): Answer => ({
    status: 200,
    body: JSON.stringify(answer),
    ...(call === undefined ? {} : { call }),
  });
  switch (target) {
    case 'AmazonSSM.GetParameter': {
      const next = state.later[name]?.[0];
      if (next !== undefined && --next.reads < 0) {
        state.parameters[name] = next;
        state.later[name]?.shift();
      }
      const parameter = state.parameters[name];
      if (parameter === undefined) return { ...jsonError('ParameterNotFound'), call: `GetParameter ${name}` };
      return ok({ Parameter: { Name: name, Type: parameter.type, Value: parameter.value } }, `GetParameter ${name}`);
    }
    case 'AmazonSSM.PutParameter': {
      const call = `PutParameter ${name} ${body.Type ?? ''} overwrite=${String(body.Overwrite)}`;
      if (body.Overwrite !== true && name in state.parameters) return { ...jsonError('ParameterAlreadyExists'), call };
      // A standard parameter takes 4 KB; a larger value would need a tier that costs money.
      if ((body.Value ?? '').length > 4096) return { ...jsonError('ValidationException'), call };
      if (body.Overwrite === true && body.Tags !== undefined) return { ...jsonError('ValidationException'), call };
      const tags = body.Tags && Object.fromEntries(body.Tags.map(({ Key, Value }) => [Key, Value]));
      const kept = tags ?? state.parameters[name]?.tags;
      state.parameters[name] = { type: body.Type ?? '', value: body.Value ?? '', ...(kept && { tags: kept }) };
      return ok({ Version: 1 }, call);
    }
    case 'AmazonSSM.DeleteParameter': {
      const call = `DeleteParameter ${name}`;
      if (!(name in state.parameters)) return { ...jsonError('ParameterNotFound'), call };
      const { [name]: _, ...rest } = state.parameters;
      state.parameters = rest;
      return ok({}, call);
    }
    case 'Logs_20140328.CreateLogStream':
      return ok({}, 'CreateLogStream');
    case 'Logs_20140328.PutLogEvents':
      for (const event of body.logEvents ?? []) state.logEvents.push(event.message);
      return ok({}, 'PutLogEvents');
    default:
      throw new Error(`nodes call ${target}, which the tests do not know`);
  }
}

/** S3 with one bucket. */
export function s3(
  state: CloudState,
  method: string,
  key: string,
  headers: Record<string, unknown>,
  body: Buffer,
): Answer {
  if (method === 'PUT') {
    const checksum = headers['x-amz-checksum-sha256'];
    if (typeof checksum === 'string' && checksum !== createHash('sha256').update(body).digest('base64')) {
      return { status: 400, body: '<Error><Code>BadDigest</Code></Error>', call: `PUT ${key}` };
    }
    state.objects[key] = body;
    return { status: 200, body: '', call: `PUT ${key}` };
  }
  if (method === 'DELETE') {
    const { [key]: _, ...rest } = state.objects;
    state.objects = rest;
    return { status: 204, body: '', call: `DELETE ${key}` };
  }
  if (key.startsWith('?list-type=2&')) return listOf(state, new URLSearchParams(key.slice(1)));
  const object = state.objects[key];
  if (object === undefined)
    return { status: 404, body: '<?xml version="1.0"?><Error><Code>NoSuchKey</Code></Error>', call: `GET ${key}` };
  return { status: 200, body: object, call: `GET ${key}` };
}

/** ListObjectsV2. S3 may tell fewer than the thousand that it tells at most; here it always does. */
function listOf(state: CloudState, query: URLSearchParams): Answer {
  const prefix = query.get('prefix') ?? '';
  const after = query.get('start-after') ?? '';
  const keys = Object.keys(state.objects)
    .filter((key) => key.startsWith(prefix) && key > after)
    .sort()
    .slice(0, 5);
  const contents = keys.map(
    (key) => `<Contents><Key>${key}</Key><Size>${String(state.objects[key]!.length)}</Size></Contents>`,
  );
  return {
    status: 200,
    body: `<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${contents.join('')}</ListBucketResult>`,
    call: `LIST ${prefix}`,
  };
}
