import { ServicePrincipal, type ServicePrincipalOpts } from 'aws-cdk-lib/aws-iam';

/** Name by which a service acts, for example `lambda.…`: the same in every partition, unlike the names of endpoints. */
export function servicePrincipalName(service: string): string {
  return `${service}.amazonaws.com`;
}

/** A service of AWS as a principal, by its short name, for example `lambda`. */
export function servicePrincipal(service: string, options?: ServicePrincipalOpts): ServicePrincipal {
  return new ServicePrincipal(servicePrincipalName(service), options);
}
