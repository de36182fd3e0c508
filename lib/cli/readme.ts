/** The tables of the README, written from the code, so that the manual cannot drift from what it describes. */
import { GROUPS, SETTINGS, type Setting } from '../config/schema.ts';
import { NOTICES } from '../notify/notices.ts';
import { REASONS } from '../policy/reasons.ts';
import { OUTCOMES } from '../reconcile/outcomes.ts';

/** Markers `<!-- settings -->` and `<!-- /settings -->` enclose a generated part; the names are the keys. */
const PARTS: Readonly<Record<string, () => string>> = {
  settings: settingsTable,
  reasons: () =>
    table(
      ['Reason', 'Meaning'],
      Object.entries(REASONS).map(([code, text]) => [`\`${code}\``, text]),
    ),
  outcomes: () =>
    table(
      ['Outcome', 'Meaning'],
      Object.entries(OUTCOMES).map(([kind, text]) => [`\`${kind}\``, text]),
    ),
  notices: () =>
    table(
      ['Kind', 'What is told'],
      Object.entries(NOTICES).map(([kind, text]) => [`\`${kind}\``, text]),
    ),
};

/**
 * The README with its generated parts as the code has them now.
 *
 * @throws Error when a part's markers are missing.
 */
export function withGeneratedParts(readme: string): string {
  return Object.entries(PARTS).reduce((text, [name, part]) => {
    const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
    const [from, to] = [text.indexOf(start), text.indexOf(end)];
    if (from < 0 || to < from) throw new Error(`README.md lacks the markers ${start} and ${end}`);
    return `${text.slice(0, from + start.length)}\n${part()}\n${text.slice(to)}`;
  }, readme);
}

function settingsTable(): string {
  const rows: readonly (readonly [string, Setting])[] = Object.entries(SETTINGS);
  // What the template sets is nobody's to write.
  const sections = GROUPS.filter((group) => group !== 'Set by the template').map((group) => {
    const settings = rows.filter(([, setting]) => setting.group === group);
    const cells = settings.map(([name, setting]) => [
      `\`${name}\`${setting.scope === 'target' ? '' : ' (all)'}`,
      defaultOf(setting),
      allowedBy(setting),
      setting.unit ?? '',
      setting.doc,
    ]);
    return `**${group}**\n\n${table(['Variable', 'Default', 'Allowed', 'Unit', 'What it does'], cells)}`;
  });
  return sections.join('\n\n');
}

/** Bounds and choices; forms of text are told by the sentence and the example. */
function allowedBy({ type: { expected } }: Setting): string {
  const short = expected.replace(/^a (whole )?number from /, '').replace(/^one of /, '');
  return short !== expected || expected.length <= 20 ? short : '';
}

function defaultOf(setting: Setting): string {
  return setting.default === null ? (setting.unset ?? '') : `\`${setting.default}\``;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => '---'), ...rows];
  return lines.map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`).join('\n');
}
