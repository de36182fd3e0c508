/** SSM Parameter Store: GetParameter on what the local run was given. */
import { isRecord } from './intrinsics.ts';
import { errorReply, type ServiceReply } from './protocol.ts';
import type { Place } from './template.ts';

/** One parameter. */
export interface Parameter {
  readonly type: 'String' | 'StringList' | 'SecureString';
  readonly value: string;
  /** The key of a SecureString; the account's `alias/aws/ssm` unless said otherwise. */
  readonly keyArn?: string;
}

/** Stands for the encrypted form, which a caller gets who does not ask for decryption. */
const CIPHERTEXT = 'AQICAHlocalCiphertext==';

/** Answers SSM's operations. Never puts a SecureString's value into anything but a decrypted GetParameter reply. */
export function handleParameters(
  parameters: ReadonlyMap<string, Parameter>,
  place: Place,
  operation: string,
  body: unknown,
): ServiceReply {
  if (operation !== 'GetParameter' || !isRecord(body)) {
    return errorReply(400, 'UnknownOperationException', `The local SSM has no ${operation}`);
  }
  const name = String(body.Name);
  const parameter = parameters.get(name);
  if (parameter === undefined) {
    return errorReply(400, 'ParameterNotFound', '');
  }
  const hidden = parameter.type === 'SecureString' && body.WithDecryption !== true;
  return {
    status: 200,
    body: {
      Parameter: {
        ARN: parameterArn(place, name),
        DataType: 'text',
        LastModifiedDate: 0,
        Name: name,
        Type: parameter.type,
        Value: hidden ? CIPHERTEXT : parameter.value,
        Version: 1,
      },
    },
  };
}

/** The ARN of a parameter; a leading slash of the name is not doubled. */
export function parameterArn(place: Place, name: string): string {
  const path = name.startsWith('/') ? name : `/${name}`;
  return `arn:${place.partition}:ssm:${place.region}:${place.accountId}:parameter${path}`;
}
