import { GetServiceQuotaCommand, NoSuchResourceException } from '@aws-sdk/client-service-quotas';
import { details } from './errors';
import { Service } from './service';

/** Service Quotas: what the account may have, by quota code; a code that is not here does not exist. */
export class ServiceQuotas extends Service {
  readonly prefix = 'servicequotas';
  readonly values = new Map<string, number>();

  constructor() {
    super();
    this.on(GetServiceQuotaCommand, ({ ServiceCode, QuotaCode = '' }) => {
      const Value = this.values.get(QuotaCode);
      if (Value === undefined) throw new NoSuchResourceException(details(`No quota ${QuotaCode}`));
      return { Quota: { ServiceCode, QuotaCode, Value } };
    });
  }
}
