/**
 * The errors of the local CloudWatch, in the form that the service answers with.
 * Names, codes and statuses: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CommonErrors.html
 */

/** Every error that this CloudWatch answers with, by its JSON name, with its status and its older query-protocol code. */
const FAULTS = {
  InternalServiceFault: { status: 500, queryCode: 'InternalServiceError' },
  InvalidNextToken: { status: 400, queryCode: 'InvalidNextToken' },
  InvalidParameterCombinationException: { status: 400, queryCode: 'InvalidParameterCombination' },
  InvalidParameterValueException: { status: 400, queryCode: 'InvalidParameterValue' },
  LimitExceededFault: { status: 400, queryCode: 'LimitExceeded' },
  MissingRequiredParameterException: { status: 400, queryCode: 'MissingParameter' },
  ResourceNotFound: { status: 404, queryCode: 'ResourceNotFound' },
  UnknownOperationException: { status: 404, queryCode: 'UnknownOperationException' },
  ValidationException: { status: 400, queryCode: 'ValidationError' },
} as const;

export type FaultName = keyof typeof FAULTS;

/** A refusal of a request. `name` is what the SDK puts in `error.name`. */
export class CloudWatchFault extends Error {
  override readonly name: FaultName;

  constructor(name: FaultName, message: string) {
    super(message);
    this.name = name;
  }

  get status(): number {
    return FAULTS[this.name].status;
  }

  /** Code of the older query protocol; the SDK reads it from the `x-amzn-query-error` header. */
  get queryCode(): string {
    return FAULTS[this.name].queryCode;
  }
}

/** The commonest refusal: a parameter that breaks a rule. */
export function invalid(message: string): CloudWatchFault {
  return new CloudWatchFault('ValidationException', message);
}
