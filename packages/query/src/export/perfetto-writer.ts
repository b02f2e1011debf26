// Writes Perfetto packets: tracks and their events. It knows Perfetto, but not interrupts.
import type { OutputFile } from '@gictrace/recorder/output';
import {
  COUNTER_DESCRIPTOR,
  DEBUG_ANNOTATION,
  EVENT_TYPES,
  PROCESS_DESCRIPTOR,
  SEQ_INCREMENTAL_STATE_CLEARED,
  TRACE,
  TRACE_PACKET,
  TRACK_DESCRIPTOR,
  TRACK_EVENT,
  UNIT_COUNT,
} from './perfetto-schema.ts';
import { ProtobufWriter } from './protobuf.ts';

const FLUSH_BYTES = 1 << 18;
const SEQUENCE = 1;

/** The arguments of an event; those that are null are left out. */
export type Annotations = Readonly<Record<string, number | string | null>>;

/** An arrow from the event before with the same number, which is not 0. */
export interface Flow {
  readonly id: number;
  /** Whether this is the last event of the flow. */
  readonly isLast: boolean;
}

export class PerfettoWriter {
  private readonly proto = new ProtobufWriter();
  private readonly out: OutputFile;
  private pids = 0;
  packets = 0;
  tracks = 0;

  constructor(out: OutputFile) {
    this.out = out;
  }

  /** Declares a process and returns its track. */
  process(name: string): number {
    return this.descriptor(() => {
      this.proto.message(TRACK_DESCRIPTOR.process, () => {
        this.proto.uint(PROCESS_DESCRIPTOR.pid, ++this.pids).string(PROCESS_DESCRIPTOR.process_name, name);
      });
    });
  }

  /** Declares a track in a process. */
  track(process: number, name: string): number {
    return this.descriptor(() => {
      this.proto.string(TRACK_DESCRIPTOR.name, name).uint(TRACK_DESCRIPTOR.parent_uuid, process);
    });
  }

  /** Declares a counter, which belongs to no process. */
  counter(name: string): number {
    return this.descriptor(() => {
      this.proto.string(TRACK_DESCRIPTOR.name, name).message(TRACK_DESCRIPTOR.counter, () => {
        this.proto.uint(COUNTER_DESCRIPTOR.unit, UNIT_COUNT);
      });
    });
  }

  begin(track: number, time: number, name: string, category: string, more: Annotations, flow?: Flow): void {
    this.event(EVENT_TYPES.SLICE_BEGIN, track, time, () => this.named(name, category, more, flow));
  }

  end(track: number, time: number, more: Annotations): void {
    this.event(EVENT_TYPES.SLICE_END, track, time, () => this.annotate(more));
  }

  instant(track: number, time: number, name: string, category: string, more: Annotations, flow?: Flow): void {
    this.event(EVENT_TYPES.INSTANT, track, time, () => this.named(name, category, more, flow));
  }

  count(track: number, time: number, value: number): void {
    this.event(EVENT_TYPES.COUNTER, track, time, () => {
      this.proto.uint(TRACK_EVENT.counter_value, value);
    });
  }

  finish(): void {
    this.out.write(this.proto.take());
  }

  private descriptor(fill: () => void): number {
    // Track 0 is for the trace as a whole.
    const uuid = ++this.tracks;
    this.packet(() => {
      this.proto.message(TRACE_PACKET.track_descriptor, () => {
        this.proto.uint(TRACK_DESCRIPTOR.uuid, uuid);
        fill();
      });
    });
    return uuid;
  }

  private event(type: number, track: number, time: number, fill: () => void): void {
    const { proto } = this;
    this.packet(() => {
      proto.uint(TRACE_PACKET.timestamp, time).message(TRACE_PACKET.track_event, () => {
        proto.uint(TRACK_EVENT.type, type).uint(TRACK_EVENT.track_uuid, track);
        fill();
      });
    });
  }

  private named(name: string, category: string, more: Annotations, flow: Flow | undefined): void {
    this.proto.string(TRACK_EVENT.categories, category).string(TRACK_EVENT.name, name);
    if (flow !== undefined)
      this.proto.fixed64(flow.isLast ? TRACK_EVENT.terminating_flow_ids : TRACK_EVENT.flow_ids, flow.id);
    this.annotate(more);
  }

  private annotate(more: Annotations): void {
    const { proto } = this;
    for (const [name, value] of Object.entries(more)) {
      if (value === null) continue;
      proto.message(TRACK_EVENT.debug_annotations, () => {
        proto.string(DEBUG_ANNOTATION.name, name);
        if (typeof value === 'string') proto.string(DEBUG_ANNOTATION.string_value, value);
        else proto.uint(DEBUG_ANNOTATION.uint_value, value);
      });
    }
  }

  private packet(fill: () => void): void {
    const { proto } = this;
    proto.message(TRACE.packet, () => {
      proto.uint(TRACE_PACKET.trusted_packet_sequence_id, SEQUENCE);
      if (this.packets === 0) proto.uint(TRACE_PACKET.sequence_flags, SEQ_INCREMENTAL_STATE_CLEARED);
      fill();
    });
    this.packets++;
    if (proto.length >= FLUSH_BYTES) this.out.write(proto.take());
  }
}
