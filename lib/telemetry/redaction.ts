/**
 * Secrets never reach a log line. Three nets: values that were registered (the Cloud 66 token), whatever stands behind
 * a key that names a secret, and credentials that look like themselves (a Bearer header, a signed URL).
 */

/** What stands where a secret stood. */
export const REDACTED = '[redacted]';

/** Knows what must not be shown. */
export interface Redactor {
  /**
   * From now on this value is hidden wherever it appears, also in encoded form. Values shorter than eight characters
   * are not secrets but words that would spoil every line, and are ignored.
   */
  register(secret: string): void;
  /** The text without secrets. */
  text(text: string): string;
  /** Whether whatever stands under this key is hidden, such as `authorization` or `apiKey`. */
  hidesKey(key: string): boolean;
}

const MIN_SECRET_CHARACTERS = 8;
/** JSON within JSON within JSON: as deep as SNS and Lambda wrap an event. */
const ESCAPE_DEPTH = 3;

const SECRET_KEY =
  /(authorization|cookie|token|credentials?|signature|apikey|accesskeyid|privatekey|passphrase)$|secret|password|passwd/;

/** Kept is the first group; the rest of the match is the secret. Each pattern reads a text once, without backtracking. */
const PATTERNS: readonly RegExp[] = [
  /(\bBearer\s+)[\w.~+/=-]+/gi,
  /(\bBasic\s+)[\w+/=-]{8,}/g,
  // A header within a text, to the end of its line or of the quoted text.
  /((?:authorization|x-api-key|x-amz-security-token|cookie)["'\\]*\s*[:=]\s*["'\\]*)[^"'\\\r\n]+/gi,
  // `token=…` in a query or a shell line, `"token":"…"` in JSON, `token: '…'` in an inspected object.
  /((?:token|secret|password|passwd|api_?key|signature)["'\\]*\s*(?:=|:\s*["'\\]+)\s*["'\\]*)[^\s"'\\&,;}]+/gi,
  // The user part of a URL.
  /(\/\/)[^\s/:@"']+:[^\s/@"']+(?=@)/g,
];

/** Every match of the patterns has one of these; most keys and all numbers have none. */
const MAY_MATCH = /[\s:=]/;
/** Keys are the names in our own code and in what is quoted; beyond this many, whoever sends them makes them up. */
const MAX_KNOWN_KEYS = 1000;
const MAX_KNOWN_KEY_CHARACTERS = 64;

/** A redactor that knows no secret yet. */
export function createRedactor(): Redactor {
  const registered = new Set<string>();
  let forms: readonly string[] = [];
  let shortestForm = Number.POSITIVE_INFINITY;
  const knownKeys = new Map<string, boolean>();

  const withoutSecrets = (text: string) => forms.reduce((rest, form) => rest.replaceAll(form, REDACTED), text);

  return {
    register(secret) {
      // Every call to Cloud 66 registers its token.
      if (registered.has(secret)) return;
      registered.add(secret);
      const known = [...forms, ...formsOf(secret.trim())];
      // Longest first, so that no part of a longer form is left over.
      forms = [...new Set(known)].toSorted((a, b) => b.length - a.length);
      shortestForm = forms.at(-1)?.length ?? shortestForm;
    },
    text(text) {
      const known = text.length < shortestForm ? text : withoutSecrets(text);
      if (!MAY_MATCH.test(known)) return known;
      return PATTERNS.reduce((rest, pattern) => rest.replace(pattern, `$1${REDACTED}`), known);
    },
    hidesKey(key) {
      const known = knownKeys.get(key);
      if (known !== undefined) return known;
      const isHidden = SECRET_KEY.test(key.toLowerCase().replace(/[^a-z0-9]/g, ''));
      if (knownKeys.size < MAX_KNOWN_KEYS && key.length <= MAX_KNOWN_KEY_CHARACTERS) knownKeys.set(key, isHidden);
      return isHidden;
    },
  };
}

/** A secret as it is, in URLs, in Base64, and escaped in JSON. */
function formsOf(secret: string): readonly string[] {
  if (secret.length < MIN_SECRET_CHARACTERS || REDACTED.includes(secret)) return [];
  const bytes = Buffer.from(secret);
  const forms = [
    secret,
    encodeURIComponent(secret.toWellFormed()),
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
  ];
  let escaped = secret;
  for (let depth = 0; depth < ESCAPE_DEPTH; depth += 1) {
    escaped = JSON.stringify(escaped).slice(1, -1);
    forms.push(escaped);
  }
  return forms;
}
