import { AutoScalingServiceException } from '@aws-sdk/client-auto-scaling';
import { EC2ServiceException } from '@aws-sdk/client-ec2';

const METADATA = { httpStatusCode: 400, requestId: 'sim', attempts: 1 };

/** What the exceptions of every SDK client are made from. */
export function details(message: string) {
  return { message, $metadata: METADATA };
}

/** An EC2 error; its name is the error code, for example `InvalidAllocationID.NotFound`. */
export function ec2Error(name: string, message: string): EC2ServiceException {
  return new EC2ServiceException({ name, $fault: 'client', ...details(message) });
}

/** What Auto Scaling answers to a request that makes no sense. */
export function validationError(message: string): AutoScalingServiceException {
  return new AutoScalingServiceException({ name: 'ValidationError', $fault: 'client', ...details(message) });
}

/** A fault of the service itself, as the SDK gives it up after its own retries. */
export function serviceFault(name = 'InternalFailure'): Error {
  const metadata = { ...METADATA, httpStatusCode: 500, attempts: 5 };
  return Object.assign(new Error(`${name}: the service failed`), { name, $fault: 'server', $metadata: metadata });
}

/** Throttling that outlasted the SDK's own retries. */
export function throttling(): Error {
  const metadata = { ...METADATA, attempts: 5 };
  return Object.assign(new Error('Rate exceeded'), {
    name: 'ThrottlingException',
    $fault: 'client',
    $metadata: metadata,
  });
}

/** A call that the caller's role does not grant. */
export function accessDenied(action: string): Error {
  const message = `User is not authorized to perform: ${action}`;
  return Object.assign(new Error(message), { name: 'AccessDenied', $fault: 'client', $metadata: METADATA });
}
