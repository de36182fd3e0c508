/** The frame of a report: one HTML page that carries everything in itself and asks nobody for anything. */
import { createHash } from 'node:crypto';
import { escaped, scriptJson } from './markup.ts';

/** Texts of scripts and styles, in their order. */
export interface ReportAssets {
  readonly scripts: readonly string[];
  readonly styles: readonly string[];
}

/** What a report puts into the frame. */
export interface FramedPage {
  readonly title: string;
  /** Markup. */
  readonly body: string;
  /** For the script, which finds it as JSON in `#report-data`. */
  readonly data: unknown;
}

/**
 * The page. Its content security policy allows the scripts and styles of `assets` by their hashes and nothing else.
 *
 * @throws RangeError when an asset would end the element it stands in.
 */
export function pageFrame({ title, body, data }: FramedPage, { scripts, styles }: ReportAssets): string {
  const script = checked(scripts.join('\n;\n'), /<\/script|<!--/i);
  const style = checked(styles.join('\n'), /<\/style/i);
  const policy = `default-src 'none'; script-src ${hashOf(script)}; style-src ${hashOf(style)}; base-uri 'none'; form-action 'none'`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escaped(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escaped(title)}</title>
<style>${style}</style>
</head>
<body>
${body}
<script type="application/json" id="report-data">${scriptJson(data)}</script>
<script>${script}</script>
</body>
</html>
`;
}

function checked(text: string, ending: RegExp): string {
  const found = ending.exec(text)?.[0];
  if (found !== undefined) throw new RangeError(`The report's script or style holds "${found}".`);
  return text;
}

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
