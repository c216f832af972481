/** `p2pft doctor`: what this network is, and what to expect of it. */
import { after } from "../time.ts";
import type { DoctorReport } from "../doctor/doctor_report.ts";
import type { DoctorInvocation } from "./invocation.ts";
import { CODE_VARIABLE } from "./code_variable.ts";
import { networkOptions } from "./common_options.ts";
import type { CommandContext } from "./context.ts";
import { doctorLines } from "./doctor_text.ts";
import { errorEvent, errorEventOf } from "./failure.ts";
import { givenCode } from "./given_code.ts";
import { jsonLine, JsonReporter } from "./json_reporter.ts";
import { CLEAN_END_MS } from "./run_operation.ts";
import { cutEnd } from "./text_width.ts";
import { TextReporter } from "./text_reporter.ts";

/** Runs the command and returns the exit status. */
export async function runDoctor(
  invocation: DoctorInvocation,
  context: CommandContext,
): Promise<number> {
  const { terminal, streams, signal } = context;
  try {
    if (!invocation.json && !invocation.quiet) {
      terminal.setStatus((columns) => cutEnd("Looking at the network …", columns));
    }
    const report = await findOut(invocation, context);
    terminal.clearStatus();
    if (invocation.json) streams.writeOutput(`${jsonLine({ event: "doctor", ...report })}\n`);
    else printReport(report, invocation, context);
    return 0;
  } catch (error) {
    terminal.clearStatus();
    const event = signal.aborted ? errorEvent("interrupted", "Interrupted") : errorEventOf(error);
    const reporter = invocation.json
      ? new JsonReporter(streams, invocation.verbose)
      : new TextReporter(terminal, {
        role: "receive",
        quiet: true,
        verbose: invocation.verbose,
        installation: context.installation,
        clock: context.clock,
        signal,
      });
    if (!signal.aborted) reporter.handleException(error);
    reporter.handleEvent(event);
    return event.exit;
  }
}

/** Asks the library; rejects when it has not ended some time after Ctrl-C. */
async function findOut(
  invocation: DoctorInvocation,
  context: CommandContext,
): Promise<DoctorReport> {
  const { signal, clock } = context;
  const code = givenCode(invocation.code ?? context.env(CODE_VARIABLE));
  const { promise: tooLong, reject } = Promise.withResolvers<never>();
  let cancelTimer = () => {};
  const arm = () => {
    cancelTimer = clock.setTimer(after(clock.now(), CLEAN_END_MS), () => reject(signal.reason));
  };
  if (signal.aborted) arm();
  else signal.addEventListener("abort", arm, { once: true });
  try {
    const doctoring = context.doctor(
      code,
      networkOptions(invocation, context),
    );
    return await Promise.race([doctoring, tooLong]);
  } finally {
    signal.removeEventListener("abort", arm);
    cancelTimer();
  }
}

function printReport(
  report: DoctorReport,
  invocation: DoctorInvocation,
  { terminal }: CommandContext,
): void {
  const lines = doctorLines(report, {
    // Whoever reads a pipe wants each value in one piece.
    columns: terminal.outputIsTerminal ? terminal.columns : Infinity,
    style: { color: terminal.outputColor },
    detail: invocation.quiet ? "short" : invocation.verbose ? "full" : "usual",
  });
  for (const line of lines) terminal.print(line);
}
