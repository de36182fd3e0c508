/**
 * What the files of this folder share: the few words of CloudFormation that they write, and the deployment they write
 * about. One concern per file; template.ts puts them together; serverless.yml loads them through template.cjs.
 */
import type { Deployment } from '../lib/config/deployment.ts';

/** A value of a CloudFormation template: JSON, with intrinsic functions as objects. */
export type Value = string | number | boolean | readonly Value[] | { readonly [key: string]: Value };

export interface Resource {
  readonly Type: string;
  readonly DependsOn?: string;
  readonly Properties: Readonly<Record<string, Value>>;
}

/** A part of a template, as serverless.yml merges it. */
export interface TemplatePart {
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Outputs?: Readonly<Record<string, { readonly Description: string; readonly Value: Value }>>;
}

/** What a part is written from. Names of resources start with `name`, which is service and stage. */
export interface Plan {
  readonly name: string;
  readonly alarmNamePrefix: string;
  readonly deployment: Deployment;
}

/** Logical ids of the functions, as the framework makes them from their names in serverless.yml. */
export const FUNCTION_IDS = { scale: 'ScaleLambdaFunction', poller: 'PollerLambdaFunction' } as const;

export function ref(logicalId: string): Value {
  return { Ref: logicalId };
}

export function arnOf(logicalId: string): Value {
  return { 'Fn::GetAtt': [logicalId, 'Arn'] };
}

/** Text with `${AWS::Region}` and the like in it. */
export function sub(text: string): Value {
  return { 'Fn::Sub': text };
}
