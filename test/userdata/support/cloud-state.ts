/** A state volume as EC2 shows it. */
export interface Volume {
  id: string;
  zone: string;
  tags: Record<string, string>;
  /** Instance that holds it; undefined while it is free. */
  holder: string | undefined;
  /** After this many looks the holder lets go. */
  freeAfter?: number;
}

/** A network interface as EC2 shows it. */
export interface Interface {
  id: string;
  subnet: string;
  addresses: string[];
  /** After this many looks it loses its secondary addresses, as a terminated instance does. */
  freeAfter?: number;
}

/** An instance as EC2 and its metadata service show it. */
export interface Instance {
  id: string;
  type: string;
  zone: string;
  privateIp: string;
  /** Absent without one. */
  publicIp?: string;
  interfaceId: string;
  /** MAC of its interface. */
  mac: string;
  subnet: string;
  state: string;
  tags: Record<string, string>;
  /** When it was last started, UTC ISO; just now if absent. */
  started?: string;
  /** Its place in an Auto Scaling group, if it has one. */
  group?: { name: string; lifecycle: string };
}

/** Everything that the AWS of the tests knows. Plain data, so that a test can write it down and compare it. */
export interface CloudState {
  cluster: string;
  bucket: string;
  region: string;
  /** What its endpoints end with. */
  domain: string;
  volumes: Volume[];
  interfaces: Interface[];
  instances: Record<string, Instance>;
  parameters: Record<string, { type: string; value: string; tags?: Record<string, string> }>;
  objects: Record<string, Buffer>;
  logEvents: string[];
  /** `namespace metric dimensions value` of each value sent. */
  metrics: string[];
  /** Phases in the order in which instances were tagged with them. */
  phases: string[];
  /** Faults: what the cloud refuses, by the action, and the parameter's name if one alone is meant, with AWS's error code. */
  refuse: Record<string, string>;
  /** Faults: actions that are carried out once without their answer arriving; curl asks again. */
  lost: string[];
  /** The bucket answers to nothing. */
  bucketDown: boolean;
  /** Seconds that the cloud's clock is ahead. */
  clockAhead: number;
  /** Requests to the metadata service that stay without an answer, after so many that get one. */
  metadataDown: number;
  metadataUp: number;
  /** Parameters that appear after so many reads of their name. */
  later: Record<string, { reads: number; type: string; value: string }[]>;
}

/** A cloud with one instance of the cluster, its interface, and nothing else. */
export function newCloudState(instance: Partial<Instance> = {}): CloudState {
  const own: Instance = {
    id: 'i-0aaaaaaaaaaaaaaaa',
    type: 't3.medium',
    zone: 'us-east-1a',
    privateIp: '10.0.0.77',
    interfaceId: 'eni-0aaaaaaaaaaaaaaaa',
    mac: '02:00:00:00:00:01',
    subnet: 'subnet-0a',
    state: 'running',
    tags: { 'drowse:cluster': 'drowse' },
    ...instance,
  };
  return {
    cluster: 'drowse',
    bucket: 'drowse-drowse-123456789012-us-east-1',
    region: 'us-east-1',
    domain: 'amazonaws.com',
    volumes: [],
    interfaces: [{ id: own.interfaceId, subnet: own.subnet, addresses: [own.privateIp] }],
    instances: { [own.id]: own },
    parameters: {},
    objects: {},
    logEvents: [],
    metrics: [],
    phases: [],
    refuse: {},
    lost: [],
    bucketDown: false,
    clockAhead: 0,
    metadataDown: 0,
    metadataUp: 0,
    later: {},
  };
}
