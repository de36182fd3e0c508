/** AWS's JSON protocol as the local services speak it: replies, errors, and the handler that a service is. */

/** A service's answer to one request, before it becomes HTTP. */
export interface ServiceReply {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A local AWS service: takes an operation's name and its parsed body. A rejected promise becomes HTTP 500. */
export type ServiceHandler = (operation: string, body: unknown) => ServiceReply | Promise<ServiceReply>;

/** An error in the shape from which the SDK makes an exception named `code`. */
export function errorReply(status: number, code: string, message: string): ServiceReply {
  return { status, body: { __type: code, message } };
}
