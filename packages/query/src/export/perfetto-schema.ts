// Field numbers of the Perfetto messages that an export writes, from github.com/google/perfetto, protos/perfetto/trace:
// trace.proto, trace_packet.proto and track_event/{track_event,track_descriptor,process_descriptor,counter_descriptor,
// debug_annotation}.proto. Pure data.

export const TRACE = { packet: 1 } as const;
export const TRACE_PACKET = {
  timestamp: 8,
  trusted_packet_sequence_id: 10,
  track_event: 11,
  sequence_flags: 13,
  track_descriptor: 60,
} as const;
/** TracePacket.SequenceFlags.SEQ_INCREMENTAL_STATE_CLEARED: a sequence begins. */
export const SEQ_INCREMENTAL_STATE_CLEARED = 1;
export const TRACK_DESCRIPTOR = { uuid: 1, name: 2, process: 3, parent_uuid: 5, counter: 8 } as const;
export const PROCESS_DESCRIPTOR = { pid: 1, process_name: 6 } as const;
export const COUNTER_DESCRIPTOR = { unit: 3 } as const;
/** CounterDescriptor.Unit.UNIT_COUNT. */
export const UNIT_COUNT = 2;
export const TRACK_EVENT = {
  debug_annotations: 4,
  type: 9,
  track_uuid: 11,
  categories: 22,
  name: 23,
  counter_value: 30,
  flow_ids: 47,
  terminating_flow_ids: 48,
} as const;
/** TrackEvent.Type. */
export const EVENT_TYPES = { SLICE_BEGIN: 1, SLICE_END: 2, INSTANT: 3, COUNTER: 4 } as const;
export const DEBUG_ANNOTATION = { uint_value: 3, string_value: 6, name: 10 } as const;
