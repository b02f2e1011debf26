// A repro as a scenario: what an operating system and its devices do, and the design whose driver shows it.
import { scenarioText } from '@gictrace/recorder';
import { type Check, outcomeOf, type Repro } from './repro.ts';

const AGAIN = 'again.gictrace';

/** @throws GicTraceError `usage` if no scenario shows it. */
export async function yamlOf({ minimized, of, kept, command, check }: Repro): Promise<string> {
  const { scenario, design, of: steps, divergence } = await minimized.scenario();
  return scenarioText({ ...scenario, scenario: `minimized from ${of}` }, [
    'gictrace minimize: a repro.',
    `Minimized from ${of} (${scenario.steps.length} of the ${steps} steps of its scenario) by:`,
    `  ${command}`,
    ...outcomeOf({ minimized: { divergence }, kept }),
    'To see it again:',
    `  gictrace record THIS-FILE --on ${design} -o ${AGAIN}`,
    ...seen(check).map((line) => `  ${line}`),
  ]);
}

/** The commands that show it on the trace of the scenario. */
function seen(check: Check): readonly string[] {
  switch (check.what) {
    case 'finding':
      return [`gictrace check ${AGAIN} --rule ${check.rule}`];
    case 'sql':
      return [`gictrace load ${AGAIN} -o again.db`, `gictrace query again.db "${check.sql}"`];
    case 'command':
      return [`${check.command.replaceAll('{}', AGAIN)}   # ends with exit code ${check.code}`];
    case 'divergence':
      return check.plant === undefined
        ? [`gictrace replay ${AGAIN} --on ${check.on}`]
        : [`gictrace minimize ${AGAIN} --on ${check.on} --plant ${check.plant} -o again-small.gictrace`];
  }
}
