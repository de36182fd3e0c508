/** The command line: one file per command beside this one. Commands may import anything; nothing imports them. */
import { Command } from 'commander';
import { AutoscalerError } from '../errors.ts';
import { backtestCommand } from './backtest.ts';
import { deployerPolicyCommand } from './deployer-policy.ts';
import { docsCommand } from './docs.ts';
import { doctorCommand } from './doctor.ts';
import { explainCommand } from './explain.ts';
import { faultsCommand } from './faults.ts';
import { overrideCommand } from './override.ts';
import { shadowReportCommand } from './shadow-report.ts';
import { startCommand } from './start.ts';
import { tuneCommand } from './tune.ts';

const program = new Command('autoscaler')
  .description('Scales Cloud 66 background workers from the depth of their queue.')
  .addCommand(startCommand())
  .addCommand(backtestCommand())
  .addCommand(tuneCommand())
  .addCommand(explainCommand())
  .addCommand(doctorCommand())
  .addCommand(overrideCommand())
  .addCommand(shadowReportCommand())
  .addCommand(deployerPolicyCommand())
  .addCommand(faultsCommand())
  .addCommand(docsCommand());

// A reader that has seen enough (`npm start | head`) ends a run as Ctrl-C does; what else is written goes nowhere.
let isPipeBroken = false;
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    if (!isPipeBroken) process.kill(process.pid, 'SIGTERM');
    isPipeBroken = true;
  });
}

try {
  await program.parseAsync();
} catch (error) {
  // Our own errors are written for people; a stack would only hide the message.
  console.error(error instanceof AutoscalerError ? error.message : error);
  process.exitCode = 1;
}
