import path from 'node:path';
import { BIN } from './paths';

/** Twelve digits as access key: the embedded AWS answers as that account. Nothing outside it accepts this. */
export const ACCOUNT = '000000000000';

/** Where a run finds its AWS. */
export interface AwsEndpoint {
  endpoint: string;
  region: string;
}

/**
 * Environment in which every tool and SDK talks to the endpoint and to nothing else: the caller's own AWS variables,
 * profiles and credential files are kept out, so that a local run can never touch a real account.
 */
export function awsEnvironment({ endpoint, region }: AwsEndpoint): Record<string, string> {
  const own = Object.entries(process.env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !/^(AWS_|CDK_)/.test(entry[0]),
  );
  return {
    ...Object.fromEntries(own),
    ...awsVariables({ endpoint, region }),
    PATH: `${BIN}${path.delimiter}${process.env.PATH ?? ''}`,
  };
}

/** The AWS variables alone, as printed for driving a kept run by hand. */
export function awsVariables({ endpoint, region }: AwsEndpoint): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: ACCOUNT,
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
    CDK_DEFAULT_ACCOUNT: ACCOUNT,
    CDK_DEFAULT_REGION: region,
    // The CLI would wait for an address outside before it ends.
    CDK_DISABLE_CLI_TELEMETRY: 'true',
  };
}
