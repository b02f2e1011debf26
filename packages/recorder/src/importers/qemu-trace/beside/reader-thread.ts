// The thread that reads a log for an import.
import { parentPort, workerData } from 'node:worker_threads';
import { type ReaderData, serveReading } from './reader.ts';

void serveReading(parentPort!, workerData as ReaderData);
