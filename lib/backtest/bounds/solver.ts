/** The only importer of HiGHS, compiled to WebAssembly: linear programs in, optimum out. */
import { createRequire } from 'node:module';

// Its type declarations describe an ES module but count as CommonJS, where a default import would not be callable.
const loadHighs: typeof import('highs').default = createRequire(import.meta.url)('highs');

/** Minimize `cost · x` with bounds on the columns x and on the rows A·x. */
export interface LinearProgram {
  readonly cost: Float64Array;
  readonly columnLower: Float64Array;
  readonly columnUpper: Float64Array;
  readonly rows: Rows;
}

export interface Solved {
  readonly objective: number;
  readonly columns: Float64Array;
}

/** Null when the time ran out or the program has no optimum; the model was ours, so either is for the caller to report. */
export type SolveLinear = (program: LinearProgram) => Solved | null;

/** Rows of a sparse matrix, written one after the other. */
export class Rows {
  readonly starts: number[] = [0];
  readonly columns: number[] = [];
  readonly values: number[] = [];
  readonly lower: number[] = [];
  readonly upper: number[] = [];

  /** Adds `lower <= Σ value · x[column] <= upper`; leave a bound infinite to have none. */
  add(lower: number, upper: number, ...entries: readonly (readonly [column: number, value: number])[]): void {
    for (const [column, value] of entries) {
      this.columns.push(column);
      this.values.push(value);
    }
    this.starts.push(this.columns.length);
    this.lower.push(lower);
    this.upper.push(upper);
  }
}

/** Loads the solver (3.5 MB of WebAssembly, about 50 ms). Solving blocks the thread, for `limitSeconds` at most. */
export async function loadSolver(limitSeconds = 60): Promise<SolveLinear> {
  const highs = await loadHighs();
  const { objectiveSense, modelStatus } = highs.constants;
  return ({ cost, columnLower, columnUpper, rows }) => {
    const model = highs.createModel({
      sense: objectiveSense.minimize,
      numCols: cost.length,
      numRows: rows.lower.length,
      colCost: cost,
      colLower: columnLower,
      colUpper: columnUpper,
      rowLower: Float64Array.from(rows.lower),
      rowUpper: Float64Array.from(rows.upper),
      matrix: {
        format: 'csr',
        numRows: rows.lower.length,
        numCols: cost.length,
        starts: Int32Array.from(rows.starts),
        indices: Int32Array.from(rows.columns),
        values: Float64Array.from(rows.values),
      },
    });
    try {
      // Simplex ends in a vertex without crossover and was the faster one on traces of a day.
      model.options.set({ output_flag: false, solver: 'simplex', time_limit: limitSeconds });
      model.run();
      if (model.getModelStatus() !== modelStatus.optimal) return null;
      return { objective: model.getObjectiveValue(), columns: model.getSolution().colValue };
    } finally {
      model.dispose();
    }
  };
}
