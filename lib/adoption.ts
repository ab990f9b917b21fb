import { TAG } from '../core/config/names';

/** What a deleted foundation stack left behind on purpose. */
export interface Retained {
  elasticIps: { PublicIp: string; AllocationId: string }[];
  volumes: { VolumeId: string; seat: string }[];
  bucket: string | undefined;
  table: string | undefined;
}

interface Template {
  Resources: Record<string, { Type: string; Properties?: { Tags?: { Key: string; Value: unknown }[] } }>;
}

/** For each logical ID of a template, the identifier of the existing resource that it is; what `cdk import` takes. */
export type Adoption = Record<string, Record<string, string>>;

/** More than one retained thing could be the template's one: a person must say which, by removing the other's tags. */
export class AmbiguousAdoption extends Error {
  override readonly name = 'AmbiguousAdoption';
}

/**
 * Says which resource of the foundation's template each retained thing is.
 * @throws AmbiguousAdoption if there are several Elastic IPs, or several volumes of one seat
 */
export function adoptionOf({ Resources }: Template, retained: Retained): Adoption {
  const entries = Object.entries(Resources).flatMap(
    ([id, { Type, Properties }]): [string, Record<string, string>][] => {
      switch (Type) {
        case 'AWS::EC2::EIP':
          return one('Elastic IPs', retained.elasticIps).map((address) => [id, { ...address }]);
        case 'AWS::EC2::Volume': {
          const seat = Properties?.Tags?.find(({ Key }) => Key === TAG.seat)?.Value;
          const volumes = retained.volumes.filter((volume) => volume.seat === seat);
          return one(`volumes of seat ${String(seat)}`, volumes).map(({ VolumeId }) => [id, { VolumeId }]);
        }
        case 'AWS::S3::Bucket':
          return retained.bucket === undefined ? [] : [[id, { BucketName: retained.bucket }]];
        case 'AWS::DynamoDB::Table':
          return retained.table === undefined ? [] : [[id, { TableName: retained.table }]];
        default:
          return [];
      }
    },
  );
  return Object.fromEntries(entries);
}

/**
 * Leaves out what the stack holds already, on both sides.
 * @param held identifiers of the stack's resources, by logical ID
 */
export function missingFrom(
  held: ReadonlyMap<string, string>,
  { Resources }: Template,
  { elasticIps, volumes, bucket, table }: Retained,
): [Template, Retained] {
  const owned = new Set(held.values());
  const isLoose = (id: string | undefined) => id !== undefined && !owned.has(id);
  return [
    { Resources: Object.fromEntries(Object.entries(Resources).filter(([id]) => !held.has(id))) },
    {
      // A stack knows an Elastic IP by its address.
      elasticIps: elasticIps.filter(({ PublicIp, AllocationId }) => isLoose(PublicIp) && isLoose(AllocationId)),
      volumes: volumes.filter(({ VolumeId }) => isLoose(VolumeId)),
      bucket: isLoose(bucket) ? bucket : undefined,
      table: isLoose(table) ? table : undefined,
    },
  ];
}

function one<T>(what: string, found: T[]): T[] {
  if (found.length > 1) {
    const list = found.map((item) => JSON.stringify(item)).join(', ');
    throw new AmbiguousAdoption(`There are ${String(found.length)} ${what}: ${list}. Take the tags off all but one`);
  }
  return found;
}
