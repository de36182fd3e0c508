/**
 * Every setting, in one table. It drives parsing, the report of misspelt names, `.env.example`, what packaging gives to
 * each function, the README's table and the command line: a new setting is one new row, in global-settings.ts
 * or target-settings.ts, and its use.
 *
 * Only the table and its types live here. Kinds of values: values.ts; reading and checking: settings.ts, targets.ts.
 */
import { GLOBAL_SETTINGS } from './global-settings.ts';
import { TARGET_SETTINGS } from './target-settings.ts';
import type { ValueType } from './values.ts';

/** The deployed functions. */
export type FunctionName = 'scale' | 'poller';

/** Headings under which people read the settings, in this order. */
export const GROUPS = [
  'Cloud 66',
  'Targets',
  'Queue',
  'Workers',
  'Strategy',
  'Steadiness',
  'Alarm',
  'Running',
  'Set by the template',
] as const;

/** One row of the table. */
export interface Setting {
  /** `global`: one value for the program. `target`: unprefixed for all targets, `ID_NAME` for one. */
  readonly scope: 'global' | 'target';
  readonly group: (typeof GROUPS)[number];
  readonly type: ValueType<unknown>;
  readonly unit: string | null;
  /** As a user would write it; null when unset means something of its own, which `unset` tells. */
  readonly default: string | null;
  /** What happens when it is not set and has no default. */
  readonly unset?: string;
  /** One sentence. */
  readonly doc: string;
  /** A value to start from, for `.env.example`; the default when left out. */
  readonly example?: string;
  /** True for what nearly every user must write; `.env.example` leaves these lines active. */
  readonly essential?: true;
  /** Functions whose environment carries it. Empty: used when packaging only, or given to functions by other means. */
  readonly functions: readonly FunctionName[];
  /** True when the value must never be shown, logged or packaged. */
  readonly secret?: true;
}

/** The table. Names and defaults are part of the product's public face. */
export const SETTINGS = { ...GLOBAL_SETTINGS, ...TARGET_SETTINGS };

export type GlobalSettingName = keyof typeof GLOBAL_SETTINGS;
export type TargetSettingName = keyof typeof TARGET_SETTINGS;
export type SettingName = GlobalSettingName | TargetSettingName;

export const GLOBAL_SETTING_NAMES = Object.keys(GLOBAL_SETTINGS) as readonly GlobalSettingName[];
export const TARGET_SETTING_NAMES = Object.keys(TARGET_SETTINGS) as readonly TargetSettingName[];

type Parsed<N extends SettingName> = NonNullable<ReturnType<(typeof SETTINGS)[N]['type']['parse']>>;

/** What a setting is worth after parsing: never null where the table has a default. */
export type ValueOf<N extends SettingName> = (typeof SETTINGS)[N]['default'] extends string
  ? Parsed<N>
  : Parsed<N> | null;
