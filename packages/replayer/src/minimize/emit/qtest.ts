// A repro as a Python program that drives a QEMU by qtest. It needs nothing but Python 3 and QEMU. System registers are
// accessed by the guest's PEs, which run the guest stub that the backend uses, here with a mailbox in RAM for its results.

import { RING_SLOTS } from '../../backends/qemu/ring.ts';
import { GuestStub, MARK } from '../../backends/qemu/stub.ts';
import type { Readable } from '../readable.ts';
import { commentOf, type ProgramRepro } from './repro.ts';
import { type Expected, programOf, type Step } from './steps.ts';

const MAILBOX = 0x8080;
const hex = (value: number | bigint) => `0x${value.toString(16)}`;
const expects = ({ reference, other }: Expected) =>
  `${hex(reference)}, ${other === undefined ? 'None' : hex(other)}`;

export function qtestOf(repro: ProgramRepro, readable: Readable): string {
  const { machine, steps } = programOf(repro.minimized, readable);
  const mailbox = machine.stubBase + MAILBOX;
  // The stub takes the mailbox for the reserved locations of the Distributor by which it otherwise marks QEMU's log.
  const stub = new GuestStub(machine.stubBase, mailbox - MARK.done);
  const image = Buffer.from(stub.image.buffer, 0, stub.image.byteLength);
  const lines = steps.map((step) => lineOf(step, stub));
  const starts = Array.from({ length: machine.pes }, (_, pe) => {
    if (pe === 0) return [];
    const { routine, low, address, third } = stub.start(0, machine.affinities[pe]!);
    return [`    operate(0, ${hex(routine)}, ${hex(low >>> 0)}, ${hex(address)}, ${hex(third)})`];
  }).flat();
  return `#!/usr/bin/env python3
# gictrace minimize: a repro.
${commentOf(repro)
  .map((line) => `# ${line}`.trimEnd())
  .join('\n')}
#
# Run it: python3 THIS-FILE [QEMU]. It starts that QEMU (qemu-system-aarch64), does the steps at its end by qtest, and says
# what each read returns. Exit code 0: QEMU does as the reference; 1: as the other implementation; 2: neither; 3: QEMU failed.
import base64, json, os, socket, subprocess, sys, tempfile, time

QEMU = sys.argv[1] if len(sys.argv) > 1 else 'qemu-system-aarch64'
ARGS = ${JSON.stringify(machine.args.filter((word, k, all) => word !== '-trace' && all[k - 1] !== '-trace'))}
STUB, LIMIT, NEXT, RING, SLOTS, MAILBOX = ${[stub.base, stub.limitAddress, stub.nextAddress, stub.slotAddress(0), RING_SLOTS, mailbox].map(hex).join(', ')}
# The program that the PEs run: they take operations from a ring in RAM, one at a time, and store results in the mailbox.
IMAGE = base64.b64decode(
${(image.toString('base64').match(/.{1,112}/g) ?? []).map((part) => `    '${part}'`).join('\n')}
)
SIZE = {1: 'b', 2: 'w', 4: 'l', 8: 'q'}
results = []
operations = 0


def qtest(command):
    stream.sendall((command + '\\n').encode())
    while True:
        reply = lines.readline()
        if not reply:
            print('QEMU ended')
            sys.exit(3)
        if reply.startswith('OK'):
            return reply[2:].strip()
        if not reply.startswith('IRQ'):
            print('QEMU refused %s: %s' % (command, reply.strip()))
            sys.exit(3)


def peek(address, width):
    return int(qtest('read%s %#x' % (SIZE[width], address)), 16)


def poke(address, width, value):
    qtest('write%s %#x %#x' % (SIZE[width], address, value))


def qmp(command, arguments={}):
    monitor.write(json.dumps({'execute': command, 'arguments': arguments}) + '\\n')
    monitor.flush()
    while True:
        reply = json.loads(monitor.readline())
        if 'return' in reply:
            return reply['return']


def operate(pe, routine, value=0, second=0, third=0):
    """Has a PE run a routine of the stub, and returns the result."""
    global operations
    slot = RING + operations % SLOTS * 32
    operations += 1
    poke(MAILBOX + 8, 8, 0)
    for offset, word in ((0, routine | pe << 32), (8, value), (16, second), (24, third)):
        poke(slot + offset, 8, word)
    poke(LIMIT, 4, operations & 0xffffffff)
    until = time.time() + 20
    while peek(NEXT, 4) != operations & 0xffffffff:
        if time.time() > until:
            print('PE%d does not finish' % pe)
            sys.exit(3)
    fault = peek(MAILBOX + 8, 8)
    return ('exception', fault) if fault else peek(MAILBOX, 8)


def compare(value, reference, other, text):
    if isinstance(value, tuple):
        print('%s: exception, ESR %#x' % (text, value[1]))
        results.append(2)
        return
    said = 'as the reference' if value == reference else 'as the other' if value == other else 'neither'
    detail = '%#x' % reference + ('' if other is None else ', other %#x' % other)
    print('%s: returned %#x (reference %s): %s' % (text, value, detail, said))
    results.append(0 if value == reference else 1 if value == other else 2)


def store(address, width, value, text):
    if text:
        print(text)
    poke(address, width, value)


def load(address, width, reference, other, text):
    compare(peek(address, width), reference, other, text)


def fill(address, length, byte, text):
    print(text)
    qtest('memset %#x %#x %#x' % (address, length, byte))


def write(pe, routine, value, text):
    print(text)
    result = operate(pe, routine, value)
    if isinstance(result, tuple):
        print('  exception, ESR %#x' % result[1])
        results.append(2)


def read(pe, routine, reference, other, text):
    compare(operate(pe, routine), reference, other, text)


def line(number, level, text):
    print(text)
    qtest('set_irq_in %s unnamed-gpio-in %d %d' % (gic, number, level))


def message(device, event, text):
    print(text)
    if device == 0:
        # A write without a requester has DeviceID 0.
        poke(0x8090040, 4, event)
        return
    poke(functions[device][1], 2, event)
    poke(functions[device][0] + 0x60, 4, 1)


def set_up(device, bar):
    """Gives an edu function its BAR and the MSI address of the ITS."""
    config = 0x4010000000 + (device << 12)
    poke(config + 0x10, 4, bar)
    poke(config + 4, 2, 6)
    at = peek(config + 0x34, 1)
    while peek(config + at, 1) != 5:
        at = peek(config + at + 1, 1)
    control = peek(config + at + 2, 2)
    poke(config + at + 4, 4, 0x8090040)
    if control & 0x80:
        poke(config + at + 8, 4, 0)
    poke(config + at + 2, 2, control | 1)
    functions[device] = (bar, config + at + (12 if control & 0x80 else 8))


def steps():
${lines.join('\n')}


folder = tempfile.TemporaryDirectory()
names = [os.path.join(folder.name, name) for name in ('qtest', 'qmp')]
servers = []
for name in names:
    server = socket.socket(socket.AF_UNIX)
    server.bind(name)
    server.listen(1)
    server.settimeout(20)
    servers.append(server)
try:
    qemu = subprocess.Popen(
        [QEMU, *ARGS, '-qtest', 'unix:' + names[0], '-qtest-log', 'none', '-qmp', 'unix:' + names[1]],
        stdin=subprocess.DEVNULL)
except OSError as error:
    print('cannot run %s: %s' % (QEMU, error.strerror))
    sys.exit(3)
try:
    stream = servers[0].accept()[0]
    lines = stream.makefile()
    monitor = servers[1].accept()[0].makefile('rw')
    monitor.readline()
    qmp('qmp_capabilities')
    gic = '/machine/unattached/' + next(
        one['name'] for one in qmp('qom-list', {'path': '/machine/unattached'}) if one['type'] == 'child<arm-gicv3>')
    functions = {}
    for index, device in enumerate(${JSON.stringify([...new Set(steps.flatMap((step) => (step.does === 'message' && step.device > 0 ? [step.device] : [])))])}):
        set_up(device, 0x10000000 + index * 0x100000)
    qtest('b64write %#x %#x %s' % (STUB, len(IMAGE), base64.b64encode(IMAGE).decode()))
    qmp('cont')
${starts.join('\n')}
    steps()
except (socket.timeout, StopIteration):
    print('QEMU does not start, or has no GICv3')
    sys.exit(3)
finally:
    qemu.kill()
    qemu.wait()
code = max(results, default=0)
print('RESULT: ' + ('as the reference', 'as the other implementation', 'neither')[code])
sys.exit(code)
`;
}

/** A step as a call in the program. */
function lineOf(step: Step, stub: GuestStub): string {
  const text = JSON.stringify(step.text);
  switch (step.does) {
    case 'store':
      return `    store(${hex(step.address)}, ${step.width}, ${hex(step.value)}, ${text})`;
    case 'load':
      return `    load(${hex(step.address)}, ${step.width}, ${expects(step.expected)}, ${text})`;
    case 'fill':
      return `    fill(${hex(step.address)}, ${step.length}, ${hex(step.byte)}, ${text})`;
    case 'write':
      return `    write(${step.pe}, ${hex(stub.sysreg(step.register, true))}, ${hex(step.value)}, ${text})`;
    case 'read':
      return `    read(${step.pe}, ${hex(stub.sysreg(step.register, false))}, ${expects(step.expected)}, ${text})`;
    case 'line':
      return `    line(${step.isPrivate ? 256 + 32 * step.pe + step.intid : step.intid - 32}, ${step.level ? 1 : 0}, ${text})`;
    case 'message':
      return `    message(${hex(step.device)}, ${hex(step.event)}, ${text})`;
  }
}
