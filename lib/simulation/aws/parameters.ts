/** SSM Parameter Store: GetParameter on what the local run was given and what PutParameter wrote since, all versions kept. */
import { isRecord } from './intrinsics.ts';
import { errorReply, type ServiceReply } from './protocol.ts';
import type { Place } from './template.ts';

/** One parameter. */
export interface Parameter {
  readonly type: 'String' | 'StringList' | 'SecureString';
  readonly value: string;
  /** The key of a SecureString; the account's `alias/aws/ssm` unless said otherwise. */
  readonly keyArn?: string;
  /** The versions before this one, oldest first. */
  readonly earlier?: readonly string[];
}

/** Stands for the encrypted form, which a caller gets who does not ask for decryption. */
const CIPHERTEXT = 'AQICAHlocalCiphertext==';

/** Answers SSM's operations. Never puts a SecureString's value into anything but a decrypted GetParameter reply. */
export function handleParameters(
  parameters: Map<string, Parameter>,
  place: Place,
  operation: string,
  body: unknown,
): ServiceReply {
  if (operation === 'PutParameter' && isRecord(body)) return put(parameters, body);
  if (operation !== 'GetParameter' || !isRecord(body)) {
    return errorReply(400, 'UnknownOperationException', `The local SSM has no ${operation}`);
  }
  const [name = '', version] = String(body.Name).split(':');
  const newest = parameters.get(name);
  const versions = newest === undefined ? [] : [...(newest.earlier ?? []), newest.value];
  const number = version === undefined ? versions.length : Number(version);
  const value = versions[number - 1];
  if (newest === undefined || value === undefined) {
    return errorReply(400, newest === undefined ? 'ParameterNotFound' : 'ParameterVersionNotFound', '');
  }
  const parameter = { ...newest, value };
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
        Version: number,
      },
    },
  };
}

/** Only plain texts: nothing in the local run writes a secret. */
function put(
  parameters: Map<string, Parameter>,
  { Name, Value, Type, Overwrite }: Record<string, unknown>,
): ServiceReply {
  const [name, value] = [String(Name), String(Value)];
  const known = parameters.get(name);
  if (Type !== 'String') return errorReply(400, 'ValidationException', 'The local SSM writes String parameters only');
  if (known !== undefined && Overwrite !== true) return errorReply(400, 'ParameterAlreadyExists', '');
  if (Buffer.byteLength(value) > 4096) return errorReply(400, 'ValidationException', 'Standard tier: 4096 characters');
  const earlier = known === undefined ? [] : [...(known.earlier ?? []), known.value];
  parameters.set(name, { type: 'String', value, earlier });
  return { status: 200, body: { Version: earlier.length + 1, Tier: 'Standard' } };
}

/** The ARN of a parameter; a leading slash of the name is not doubled. */
export function parameterArn(place: Place, name: string): string {
  const path = name.startsWith('/') ? name : `/${name}`;
  return `arn:${place.partition}:ssm:${place.region}:${place.accountId}:parameter${path}`;
}
