/**
 * A compiled CloudFormation template (what `serverless package` writes) as a list of concrete resources: every
 * reference resolved, every property checked. Pure: nothing is created here.
 */
import { createHash } from 'node:crypto';
import * as v from 'valibot';
import { InvalidInputError, type Problem } from '../../errors.ts';
import { isRecord, type Lookup, NO_VALUE, resolve } from './intrinsics.ts';
import {
  NAME_PROPERTY,
  type Place,
  type Properties,
  type RunType,
  returnValues,
  SCHEMAS,
  SKIPPED_TYPES,
} from './resource-types.ts';

export type { Place } from './resource-types.ts';

/** One resource of the template, ready to be created. */
export interface Resource<T extends RunType> {
  readonly logicalId: string;
  readonly type: T;
  /** The physical name: the name property, or one made from stack and logical id as CloudFormation does. */
  readonly name: string;
  /** The ARN; the physical name for types that have none. */
  readonly arn: string;
  readonly properties: Properties<T>;
}

/** The resources of a template. */
export interface Stack extends Place {
  /** All resources of one type, in the template's order. */
  of<T extends RunType>(type: T): readonly Resource<T>[];
}

/** How a template is read: where the stack lives, and values for its parameters. */
export interface TemplateOptions extends Place {
  readonly parameters?: Readonly<Record<string, string>>;
}

interface RawResource {
  readonly type: string;
  readonly properties: Record<string, unknown>;
}

/**
 * Resolves a template. Throws `InvalidInputError` that lists every problem: unknown resource types and properties,
 * references that lead nowhere, intrinsic functions that are not supported, circular references.
 */
export function loadTemplate(template: unknown, options: TemplateOptions): Stack {
  const problems: Problem[] = [];
  const parts = isRecord(template) ? template : {};
  const lookup = templateLookup(parts, options, problems);
  const resources: Resource<RunType>[] = [];
  for (const [logicalId, raw] of rawResources(parts, lookup, problems)) {
    const resource = runnable(logicalId, raw, lookup, problems);
    if (resource !== null) {
      resources.push(resource);
    }
  }
  if (problems.length > 0) {
    throw new InvalidInputError('CloudFormation template', problems);
  }
  const { parameters: _parameters, ...place } = options;
  return {
    ...place,
    of: <T extends RunType>(type: T) =>
      resources.filter((resource) => resource.type === type) as readonly unknown[] as readonly Resource<T>[],
  };
}

/** The resources whose condition is met. */
function rawResources(parts: Record<string, unknown>, lookup: Lookup, problems: Problem[]): [string, RawResource][] {
  if (!isRecord(parts.Resources)) {
    problems.push({ field: 'Resources', message: 'not found, expected an object' });
    return [];
  }
  const found: [string, RawResource][] = [];
  for (const [logicalId, value] of Object.entries(parts.Resources)) {
    const resource = isRecord(value) ? value : {};
    const condition = resource.Condition;
    if (typeof condition !== 'string' || lookup.condition(condition) === true) {
      const properties = isRecord(resource.Properties) ? resource.Properties : {};
      found.push([logicalId, { type: String(resource.Type), properties }]);
    }
  }
  return found;
}

function runnable(logicalId: string, raw: RawResource, lookup: Lookup, problems: Problem[]): Resource<RunType> | null {
  const path = `Resources.${logicalId}`;
  if (SKIPPED_TYPES.has(raw.type)) {
    return null;
  }
  if (!isRunType(raw.type)) {
    problems.push({ field: path, message: `the local run has no ${raw.type}` });
    return null;
  }
  const before = problems.length;
  const resolved = resolve(raw.properties, path, lookup);
  if (problems.length > before) {
    return null;
  }
  const parsed = v.safeParse(SCHEMAS[raw.type], resolved);
  if (!parsed.success) {
    problems.push(
      ...parsed.issues.map((issue) => ({ field: `${path}.${v.getDotPath(issue) ?? ''}`, message: issue.message })),
    );
    return null;
  }
  const name = lookup.attribute(logicalId, PHYSICAL_NAME) ?? logicalId;
  const arn = lookup.attribute(logicalId, 'Arn') ?? name;
  return { logicalId, type: raw.type, name, arn, properties: parsed.output };
}

function isRunType(type: string): type is RunType {
  return Object.hasOwn(SCHEMAS, type);
}

/** Not an attribute of any real resource; lets `runnable` ask for the name in the same way. */
const PHYSICAL_NAME = '!name';

function templateLookup(parts: Record<string, unknown>, options: TemplateOptions, problems: Problem[]): Lookup {
  const resources = isRecord(parts.Resources) ? parts.Resources : {};
  const conditions = isRecord(parts.Conditions) ? parts.Conditions : {};
  const pseudo = pseudoParameters(options);
  const inProgress = new Set<string>();
  /** Runs a nested resolution, unless it is already under way further up: then the reference is circular. */
  const once = <T>(key: string, resolveIt: () => T): T | undefined => {
    if (inProgress.has(key)) {
      problems.push({ field: key, message: 'refers to itself' });
      return undefined;
    }
    inProgress.add(key);
    try {
      return resolveIt();
    } finally {
      inProgress.delete(key);
    }
  };
  const values = (logicalId: string): ReturnType<typeof returnValues> & { name: string } => {
    const resource = isRecord(resources[logicalId]) ? resources[logicalId] : {};
    const type = String(resource.Type);
    const properties = isRecord(resource.Properties) ? resource.Properties : {};
    const given = properties[NAME_PROPERTY[type] ?? ''];
    const path = `Resources.${logicalId}`;
    const resolved = given === undefined ? undefined : once(path, () => resolve(given, path, lookup));
    const generated = generatedName(options.stackName, logicalId, properties.FifoQueue);
    const name = typeof resolved === 'string' ? resolved : generated;
    return { name, ...returnValues(type, name, options) };
  };
  const lookup: Lookup = {
    ref: (name) => {
      if (name in pseudo) {
        return pseudo[name];
      }
      return name in resources ? values(name).ref : parameter(parts, options, name);
    },
    attribute: (logicalId, attributeName) => {
      if (!(logicalId in resources)) {
        return undefined;
      }
      const found = values(logicalId);
      return attributeName === PHYSICAL_NAME ? found.name : found.attributes[attributeName];
    },
    condition: (name) =>
      name in conditions
        ? once(`Conditions.${name}`, () => resolve(conditions[name], `Conditions.${name}`, lookup) === true)
        : undefined,
    problem: (field, message) => problems.push({ field, message }),
  };
  return lookup;
}

function parameter(parts: Record<string, unknown>, options: TemplateOptions, name: string): unknown {
  const declared = isRecord(parts.Parameters) ? parts.Parameters[name] : undefined;
  return isRecord(declared) ? (options.parameters?.[name] ?? declared.Default) : undefined;
}

function pseudoParameters(place: Place): Record<string, unknown> {
  return {
    'AWS::AccountId': place.accountId,
    'AWS::Region': place.region,
    'AWS::Partition': place.partition,
    'AWS::StackName': place.stackName,
    'AWS::StackId': `arn:${place.partition}:cloudformation:${place.region}:${place.accountId}:stack/${place.stackName}/local`,
    'AWS::URLSuffix': 'amazonaws.com',
    'AWS::NotificationARNs': [],
    'AWS::NoValue': NO_VALUE,
  };
}

/** CloudFormation's form for resources without a name of their own; the same every time, so that runs compare. */
function generatedName(stackName: string, logicalId: string, fifo: unknown): string {
  const suffix = createHash('sha256').update(`${stackName}/${logicalId}`).digest('hex').slice(0, 12).toUpperCase();
  return `${stackName}-${logicalId}-${suffix}${fifo === true || fifo === 'true' ? '.fifo' : ''}`;
}
