/** Writes `.env.example` from the table of settings, so that the file can never say anything else than the code does. */
import { GROUPS, SETTINGS, type Setting } from './schema.ts';

const HEADER = `# Settings of the Cloud 66 worker autoscaler. Copy to .env and change; the environment wins over that file.
#
# Settings of a target apply to all targets; with the target's id in front (upper case, _ for -), to that one alone:
#   TARGETS=mailer,reports
#   MAX_WORKERS=10
#   MAILER_MAX_WORKERS=20
# Generated from the table in lib/config: \`npx vitest run test/config -u\` writes it, \`npm test\` tells when it is old.
`;

/** The complete text of `.env.example`. */
export function envExample(): string {
  const rows: readonly (readonly [string, Setting])[] = Object.entries(SETTINGS);
  // What the template sets is nobody's to write.
  const sections = GROUPS.filter((group) => group !== 'Set by the template').map((group) => {
    const settings = rows.filter(([, setting]) => setting.group === group);
    return `\n# --- ${group} ---\n${settings.map(([name, setting]) => settingLines(name, setting)).join('')}`;
  });
  return `${HEADER}${sections.join('')}`;
}

function settingLines(name: string, setting: Setting): string {
  const scope = setting.scope === 'target' ? 'per target' : 'global';
  const unit = setting.unit === null ? '' : `; unit: ${setting.unit}`;
  const fallback = setting.default === null ? `not set: ${setting.unset ?? ''}` : `default: ${setting.default}`;
  const comment = setting.essential === true ? '' : '# ';
  const example = setting.example ?? setting.default ?? '';
  return `# ${setting.doc}\n#   (${scope}${unit}; ${fallback})\n${comment}${name}=${example}\n`;
}
