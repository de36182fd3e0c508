/** CloudFormation's intrinsic functions, resolved to plain values. Pure: names come from the `Lookup` that is passed. */

/** Where names in a template lead. Each answers undefined for a name that does not exist. */
export interface Lookup {
  /** What `Ref` gives for a resource, a parameter or a pseudo parameter. */
  ref(name: string): unknown;
  /** What `Fn::GetAtt` gives. */
  attribute(logicalId: string, attributeName: string): string | undefined;
  /** The value of a named condition. */
  condition(name: string): boolean | undefined;
  /** Notes a problem at a path of the template; resolving goes on, so that all problems are found at once. */
  problem(path: string, message: string): void;
}

/** Stands for `AWS::NoValue`: the property or list item that holds it disappears. */
export const NO_VALUE: unique symbol = Symbol('AWS::NoValue');

type Resolver = (argument: unknown, path: string, lookup: Lookup) => unknown;

/** Resolves every intrinsic function within a value. Unknown functions and names are noted as problems. */
export function resolve(value: unknown, path: string, lookup: Lookup): unknown {
  if (Array.isArray(value)) {
    return value.map((item, index) => resolve(item, `${path}[${index}]`, lookup)).filter((item) => item !== NO_VALUE);
  }
  if (typeof value === 'string' && value.includes('{{resolve:')) {
    lookup.problem(path, 'dynamic references ({{resolve:…}}) are not supported locally');
    return '';
  }
  if (!isRecord(value)) {
    return value;
  }
  const call = intrinsicCall(value);
  if (call !== null) {
    const resolver = RESOLVERS[call.name];
    if (resolver === undefined) {
      lookup.problem(path, `found ${call.name}, expected one of ${Object.keys(RESOLVERS).join(', ')}`);
      return '';
    }
    return resolver(call.argument, path, lookup);
  }
  const resolved = Object.entries(value).map(([key, item]) => [key, resolve(item, `${path}.${key}`, lookup)] as const);
  return Object.fromEntries(resolved.filter(([, item]) => item !== NO_VALUE));
}

/** True for a plain JSON object. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A call is an object whose only key is `Ref`, `Condition` (a bare name) or starts with `Fn::`. */
function intrinsicCall(value: Record<string, unknown>): { name: string; argument: unknown } | null {
  const [name, ...others] = Object.keys(value);
  if (name === undefined || others.length > 0) {
    return null;
  }
  const argument = value[name];
  // A policy statement may hold a lone `Condition` block, which is an object; a reference to a condition is a string.
  const isCall = name === 'Ref' || name.startsWith('Fn::') || (name === 'Condition' && typeof argument === 'string');
  return isCall ? { name, argument } : null;
}

const RESOLVERS: Readonly<Record<string, Resolver>> = {
  Ref: (argument, path, lookup) => named(lookup.ref(String(argument)), `Ref ${String(argument)}`, path, lookup),
  Condition: (argument, path, lookup) =>
    named(lookup.condition(String(argument)), `condition ${String(argument)}`, path, lookup),
  'Fn::GetAtt': (argument, path, lookup) => {
    const [logicalId = '', ...rest] = Array.isArray(argument) ? argument.map(String) : String(argument).split('.');
    return attribute(logicalId, rest.join('.'), path, lookup);
  },
  'Fn::Sub': (argument, path, lookup) => {
    const [template, variables] = Array.isArray(argument) ? argument : [argument, {}];
    return substitute(String(template), resolve(variables, path, lookup), path, lookup);
  },
  'Fn::Join': (argument, path, lookup) => {
    const [separator, items] = pair(argument, path, lookup);
    return strings(items, 'Fn::Join', path, lookup).join(String(separator));
  },
  'Fn::Split': (argument, path, lookup) => {
    const [separator, text] = pair(argument, path, lookup);
    return String(text).split(String(separator));
  },
  'Fn::Select': (argument, path, lookup) => {
    const [index, items] = pair(argument, path, lookup);
    const list = Array.isArray(items) ? items : [];
    return named(list[Number(index)], `Fn::Select ${String(index)} of ${list.length} items`, path, lookup);
  },
  'Fn::If': (argument, path, lookup) => {
    const [name, whenTrue, whenFalse] = Array.isArray(argument) ? argument : [];
    const met = named(lookup.condition(String(name)), `condition ${String(name)}`, path, lookup);
    return resolve(met === true ? whenTrue : whenFalse, path, lookup);
  },
  'Fn::Equals': (argument, path, lookup) => {
    const [left, right] = pair(argument, path, lookup);
    return JSON.stringify(left) === JSON.stringify(right);
  },
  'Fn::Not': (argument, path, lookup) => conditions(argument, path, lookup)[0] !== true,
  'Fn::And': (argument, path, lookup) => conditions(argument, path, lookup).every((item) => item === true),
  'Fn::Or': (argument, path, lookup) => conditions(argument, path, lookup).some((item) => item === true),
};

function named(value: unknown, what: string, path: string, lookup: Lookup): unknown {
  if (value === undefined) {
    lookup.problem(path, `${what} does not exist`);
    return '';
  }
  return value;
}

function attribute(logicalId: string, name: string, path: string, lookup: Lookup): unknown {
  return named(lookup.attribute(logicalId, name), `Fn::GetAtt ${logicalId}.${name}`, path, lookup);
}

function pair(argument: unknown, path: string, lookup: Lookup): [unknown, unknown] {
  const resolved = resolve(argument, path, lookup);
  if (!Array.isArray(resolved) || resolved.length !== 2) {
    lookup.problem(path, `found ${JSON.stringify(argument)}, expected a list of two`);
    return ['', ''];
  }
  return [resolved[0], resolved[1]];
}

function strings(items: unknown, what: string, path: string, lookup: Lookup): string[] {
  if (!Array.isArray(items)) {
    lookup.problem(path, `${what}: found ${JSON.stringify(items)}, expected a list`);
    return [];
  }
  return items.map(String);
}

function conditions(argument: unknown, path: string, lookup: Lookup): unknown[] {
  const resolved = resolve(argument, path, lookup);
  return Array.isArray(resolved) ? resolved : [resolved];
}

/** `${Name}`, `${Resource.Attribute}` and variables; `${!Literal}` stays as `${Literal}`. */
function substitute(template: string, variables: unknown, path: string, lookup: Lookup): string {
  const known = isRecord(variables) ? variables : {};
  return template.replaceAll(/\$\{([^}]*)\}/g, (_whole, inner: string) => {
    const name = inner.trim();
    if (name.startsWith('!')) {
      return `\${${name.slice(1)}}`;
    }
    if (name in known) {
      return String(known[name]);
    }
    const [logicalId = '', ...rest] = name.split('.');
    const value = rest.length > 0 ? attribute(logicalId, rest.join('.'), path, lookup) : lookup.ref(name);
    return String(named(value, `Fn::Sub \${${name}}`, path, lookup));
  });
}
