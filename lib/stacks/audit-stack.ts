import { Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { namesOf } from '../../core/config/names';
import type { ClusterConfig } from '../../core/config/schema';
import { AuditTrail } from '../constructs/audit-trail/audit-trail';

export interface AuditStackProps extends StackProps {
  config: ClusterConfig;
}

/** Who called what: needs no other stack, and is there only if the configuration asks for it. */
export class AuditStack extends Stack {
  constructor(scope: Construct, id: string, { config, ...props }: AuditStackProps) {
    super(scope, id, props);
    new AuditTrail(this, 'Audit', {
      cluster: config.name,
      bucketName: namesOf(config.name).bucket(this.account, this.region),
      retentionDays: config.audit.retentionDays,
    });
  }
}
