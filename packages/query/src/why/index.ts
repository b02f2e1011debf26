// Why an interrupt arrived or did not: questions about a trace, and answers with the records that decided.
export {
  type Answer,
  type AskedTrace,
  type Finding,
  type Named,
  type Outcome,
  why,
} from './answer.ts';
export { questionOfText } from './ask.ts';
export type { Counterfactual } from './confirmation.ts';
export { answerGraph, GRAPH_FORMATS, type GraphFormat } from './graph.ts';
export type { Question } from './question.ts';
export { answerLines } from './text.ts';
export type { Step } from './way.ts';
