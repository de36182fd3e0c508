/**
 * Reads a metric math expression into a tree.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
 */
import { type CloudWatchFault, invalid } from './faults.ts';

export type Expression =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'array'; readonly items: readonly Expression[] }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Expression[] }
  | { readonly kind: 'binary'; readonly operator: string; readonly left: Expression; readonly right: Expression };

const TOKEN = /\s*(?:(\d+(?:\.\d+)?|\.\d+)|([A-Za-z][A-Za-z0-9_]*)|"([^"]*)"|(&&|\|\||==|!=|<=|>=|[-+*/^<>()[\],]))/y;

/** Operators by how tightly they bind, loosest first. */
const LEVELS: readonly (readonly string[])[] = [
  ['OR', '||'],
  ['AND', '&&'],
  ['==', '!=', '<', '<=', '>', '>='],
  ['+', '-'],
  ['*', '/'],
];
const MAX_DEPTH = 50;

interface Token {
  readonly kind: 'number' | 'word' | 'text' | 'sign';
  readonly text: string;
}

/**
 * @throws CloudWatchFault when the text is no expression; the message shows it.
 */
export function parseExpression(source: string): Expression {
  const tokens = tokenize(source);
  const reader = new Reader(source, tokens);
  const tree = reader.level(0, 0);
  if (reader.peek() !== undefined) throw reader.fault(`unexpected '${reader.peek()?.text}'`);
  return tree;
}

function tokenize(source: string): readonly Token[] {
  const tokens: Token[] = [];
  const text = source.trim();
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (!match) throw invalid(`Error in expression '${source}': unexpected '${text.slice(at, at + 10).trim()}'`);
    if (match[1] !== undefined) tokens.push({ kind: 'number', text: match[1] });
    else if (match[2] !== undefined) tokens.push({ kind: 'word', text: match[2] });
    else if (match[3] !== undefined) tokens.push({ kind: 'text', text: match[3] });
    else tokens.push({ kind: 'sign', text: match[4] ?? '' });
  }
  return tokens;
}

/** Recursive descent over the tokens of one expression. */
class Reader {
  readonly #source: string;
  readonly #tokens: readonly Token[];
  #position = 0;

  constructor(source: string, tokens: readonly Token[]) {
    this.#source = source;
    this.#tokens = tokens;
  }

  peek(): Token | undefined {
    return this.#tokens[this.#position];
  }

  fault(problem: string): CloudWatchFault {
    return invalid(`Error in expression '${this.#source}': ${problem}`);
  }

  level(index: number, depth: number): Expression {
    if (depth > MAX_DEPTH) throw this.fault(`nested deeper than ${MAX_DEPTH}`);
    const operators = LEVELS[index];
    if (!operators) return this.#unary(depth);
    let left = this.level(index + 1, depth);
    for (let operator = this.#take(operators); operator !== null; operator = this.#take(operators)) {
      left = { kind: 'binary', operator, left, right: this.level(index + 1, depth) };
    }
    return left;
  }

  /** Consumes the next token when it is one of these; text in quotes never is. */
  #take(texts: readonly string[]): string | null {
    const token = this.peek();
    if (!token || token.kind === 'text' || !texts.includes(token.text)) return null;
    this.#position += 1;
    return token.text;
  }

  #expect(text: string): void {
    if (this.#take([text]) === null) throw this.fault(`expected '${text}', found '${this.peek()?.text ?? 'the end'}'`);
  }

  #unary(depth: number): Expression {
    if (depth > MAX_DEPTH) throw this.fault(`nested deeper than ${MAX_DEPTH}`);
    if (this.#take(['-']) === null) return this.#power(depth);
    const right = this.#unary(depth + 1);
    return { kind: 'binary', operator: '-', left: { kind: 'number', value: 0 }, right };
  }

  #power(depth: number): Expression {
    const left = this.#primary(depth);
    if (this.#take(['^']) === null) return left;
    return { kind: 'binary', operator: '^', left, right: this.#unary(depth + 1) };
  }

  #primary(depth: number): Expression {
    const token = this.peek();
    if (!token) throw this.fault('it ends too early');
    this.#position += 1;
    if (token.kind === 'number') return { kind: 'number', value: Number(token.text) };
    if (token.kind === 'text') return { kind: 'text', value: token.text };
    if (token.kind === 'word') {
      if (this.#take(['(']) === null) return { kind: 'name', name: token.text };
      return { kind: 'call', name: token.text, args: this.#list(')', depth) };
    }
    if (token.text === '[') return { kind: 'array', items: this.#list(']', depth) };
    if (token.text !== '(') throw this.fault(`unexpected '${token.text}'`);
    const inner = this.level(0, depth + 1);
    this.#expect(')');
    return inner;
  }

  #list(end: ')' | ']', depth: number): readonly Expression[] {
    const items: Expression[] = [];
    if (this.#take([end]) !== null) return items;
    do items.push(this.level(0, depth + 1));
    while (this.#take([',']) !== null);
    this.#expect(end);
    return items;
  }
}
