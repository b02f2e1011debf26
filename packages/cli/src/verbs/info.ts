// gictrace info: summarises a trace.
import { DOMAINS } from '@gictrace/core/spec';
import {
  type AnyTraceHeader,
  isGicv5Header,
  missingStimuli,
  startsInMidLife,
  TraceReader,
} from '@gictrace/recorder';
import type { Command } from 'commander';
import { countLines, grouped, json, print } from '../context.ts';
import { sourceLines } from './source-text.ts';

export function addInfo(program: Command): void {
  program
    .command('info')
    .summary('summarise a trace')
    .description('Reports what a trace contains, where it came from, and what its source did not contain.')
    .argument('<trace>', 'the trace')
    .option('--verify', 'read the whole trace and check both digests')
    .option('--json', 'answer as JSON')
    .addHelpText('after', '\nExample:\n  gictrace info boot.gictrace\n')
    .action((path: string, options: { verify?: boolean; json?: boolean }) => {
      const reader = TraceReader.openAny(path);
      try {
        const { header, footer } = reader;
        if (options.verify) reader.verify();
        else reader.checkCounts();
        if (options.json) {
          const { chunks, snapshots, ...rest } = footer!;
          print(
            json({
              path,
              version: reader.version,
              bytes: reader.bytes,
              header,
              ...rest,
              chunks: chunks.length,
              snapshots: snapshots.length,
              verified: options.verify === true,
            }),
          );
          return;
        }
        const times = footer!.chunks.flatMap(([, , , from, to]) =>
          from === null || to === null ? [] : [from, to],
        );
        const span =
          times.length === 0 ? 'no times' : `${(times.reduce((a, b) => Math.max(a, b)) / 1e9).toFixed(3)} s`;
        print(
          `${path}: format ${reader.version}, ${grouped(footer!.records)} records in ${footer!.chunks.length} chunks, ${grouped(reader.bytes)} bytes, ${span}`,
        );
        print(
          `made by ${header.writer.name} ${header.writer.version} from ${header.source.name} (${header.source.kind}); clock: ${header.clock.name}`,
        );
        const qemu = footer!.meta.qemu as { version?: unknown; ended?: unknown } | undefined;
        if (qemu !== undefined)
          print(
            `recorded while it ran, on QEMU ${qemu.version ?? 'of unknown version'}; why the machine ended: ${qemu.ended ?? 'unknown'}`,
          );
        print(gicText(header));
        print(
          `content ${footer!.contentDigest}\nsemantic ${footer!.semanticDigest}${options.verify ? '\nverified: both digests fit' : ''}`,
        );
        for (const line of sourceLines(
          startsInMidLife(header) ? 'mid-life' : 'reset',
          missingStimuli(header),
          header.source.kind,
        ))
          print(`the source ${line}`);
        print(['records:', ...countLines(footer!.kinds)].join('\n'));
        if (Object.keys(footer!.rules).length > 0)
          print(['inferred or assumed, by rule:', ...countLines(footer!.rules)].join('\n'));
        const losses = [...header.losses, ...footer!.losses];
        if (losses.length > 0)
          print(
            [
              'not in the trace:',
              ...losses.map(({ what, count }) => `  ${what}${count === null ? '' : ` (${grouped(count)})`}`),
            ].join('\n'),
          );
      } finally {
        reader.close();
      }
    });
}

const at = (address: number) => `at 0x${address.toString(16)}`;

/** The GIC of a trace on one line. */
function gicText(header: AnyTraceHeader): string {
  if (isGicv5Header(header)) {
    const { pes, irs, profile } = header.config;
    const frames = irs.flatMap(({ frames }, k) =>
      frames.map(({ domain, address }) => `, IRS ${k} ${DOMAINS[domain]} ${at(address)}`),
    );
    return `GICv5, ${pes.length} PEs, ${irs.length} IRS, profile ${profile}${frames.join('')}`;
  }
  const { config } = header;
  return `GICv${config.architecture}, ${config.pes.length} PEs, ${config.its.length} ITS, profile ${config.profile}; GICD ${at(config.addresses.gicd)}${config.addresses.its.map((its) => `, GITS ${at(its)}`).join('')}`;
}
