// Field positions transcribed, bit range by bit range, from the register descriptions of IHI 0069 and from the
// masks in public headers of other projects; written apart from the tables, because a table cannot check itself.
import { expect, test } from 'vitest';
import { GICD, GICR, GITS, SYSREGS } from './index.ts';
import type { FieldSpec, RegisterSpec } from './shape.ts';

const IIDR = 'ProductID 31:24, Variant 19:16, Revision 15:12, Implementer 11:0';
const STATUS = 'WROD 3, RWOD 2, WRD 1, RRD 0';
const ROUTE = 'Aff3 39:32, Interrupt_Routing_Mode 31, Aff2 23:16, Aff1 15:8, Aff0 7:0';
const ICC_CTLR =
  'ExtRange 19, RSS 18, A3V 15, SEIS 14, IDbits 13:11, PRIbits 10:8, PMHE 6, EOImode 1, CBPR 0';
const SGI = 'Aff3 55:48, RS 47:44, IRM 40, Aff2 39:32, INTID 27:24, Aff1 23:16, TargetList 15:0';
const LR = 'State 63:62, HW 61, Group 60, NMI 59, Priority 55:48, pINTID 44:32, vINTID 31:0';

const frames: Readonly<Record<string, string>> = {
  GICD_CTLR:
    'RWP 31, nASSGIreq 8, E1NWF 7, DS 6, ARE_NS 5, ARE 4, EnableGrp1S 2, EnableGrp1NS 1, EnableGrp0 0',
  GICD_TYPER:
    'ESPI_range 31:27, RSS 26, No1N 25, A3V 24, IDbits 23:19, DVIS 18, LPIS 17, MBIS 16, num_LPIs 15:11, SecurityExtn 10, NMI 9, ESPI 8, CPUNumber 7:5, ITLinesNumber 4:0',
  GICD_IIDR: IIDR,
  GICD_TYPER2: 'nASSGIcap 8, VIL 7, VID 4:0',
  GICD_STATUSR: STATUS,
  GICD_SETSPI_NSR: 'INTID 12:0',
  GICD_SGIR: 'TargetListFilter 25:24, CPUTargetList 23:16, NSATT 15, INTID 3:0',
  GICD_IROUTER: ROUTE,
  GICD_IROUTERE: ROUTE,
  GICR_CTLR: 'UWP 31, DPG1S 26, DPG1NS 25, DPG0 24, RWP 3, IR 2, CES 1, EnableLPIs 0',
  GICR_IIDR: IIDR,
  GICR_TYPER:
    'Aff3 63:56, Aff2 55:48, Aff1 47:40, Aff0 39:32, PPInum 31:27, VSGI 26, CommonLPIAff 25:24, Processor_Number 23:8, RVPEID 7, MPAM 6, DPGS 5, Last 4, DirectLPI 3, Dirty 2, VLPIS 1, PLPIS 0',
  GICR_STATUSR: STATUS,
  GICR_WAKER: 'ChildrenAsleep 2, ProcessorSleep 1',
  GICR_MPAMIDR: 'PMGmax 23:16, PARTIDmax 15:0',
  GICR_PARTIDR: 'PMG 23:16, PARTID 15:0',
  GICR_SETLPIR: 'pINTID 31:0',
  GICR_CLRLPIR: 'pINTID 31:0',
  GICR_PROPBASER: 'OuterCache 58:56, Physical_Address 51:12, Shareability 11:10, InnerCache 9:7, IDbits 4:0',
  GICR_PENDBASER: 'PTZ 62, OuterCache 58:56, Physical_Address 51:16, Shareability 11:10, InnerCache 9:7',
  GICR_INVLPIR: 'V 63, vPEID 47:32, INTID 31:0',
  GICR_INVALLR: 'V 63, vPEID 47:32',
  GICR_SYNCR: 'Busy 0',
  GICR_VPROPBASER: 'OuterCache 58:56, Physical_Address 51:12, Shareability 11:10, InnerCache 9:7, IDbits 4:0',
  'GICR_VPROPBASER GICv4.1':
    'Valid 63, Entry_Size 61:59, OuterCache 58:56, Indirect 55, Page_Size 54:53, Z 52, Physical_Address 51:12, Shareability 11:10, InnerCache 9:7, Size 6:0',
  GICR_VPENDBASER:
    'Valid 63, IDAI 62, PendingLast 61, Dirty 60, OuterCache 58:56, Physical_Address 51:16, Shareability 11:10, InnerCache 9:7',
  'GICR_VPENDBASER GICv4.1':
    'Valid 63, Doorbell 62, PendingLast 61, Dirty 60, VGrp0En 59, VGrp1En 58, vPEID 15:0',
  GICR_VSGIR: 'vPEID 15:0',
  GICR_VSGIPENDR: 'Busy 31, Pending 15:0',
  GITS_CTLR: 'Quiescent 31, UMSIirq 8, ITS_Number 7:4, ImDe 1, Enabled 0',
  GITS_IIDR: IIDR,
  GITS_TYPER:
    'INV 46, UMSIirq 45, UMSI 44, nID 43, SVPET 42:41, VMAPP 40, VSGI 39, MPAM 38, VMOVP 37, CIL 36, CIDbits 35:32, HCC 31:24, PTA 19, SEIS 18, Devbits 17:13, ID_bits 12:8, ITT_entry_size 7:4, CCT 2, Virtual 1, Physical 0',
  GITS_MPAMIDR: 'PMGmax 23:16, PARTIDmax 15:0',
  GITS_PARTIDR: 'PMG 23:16, PARTID 15:0',
  GITS_MPIDR: 'Aff3 31:24, Aff2 23:16, Aff1 15:8',
  GITS_STATUSR: `Syndrome 9:6, Overflow 5, UMSI 4, ${STATUS}`,
  GITS_UMSIR: 'DeviceID 63:32, EventID 31:0',
  GITS_CBASER:
    'Valid 63, InnerCache 61:59, OuterCache 55:53, Physical_Address 51:12, Shareability 11:10, Size 7:0',
  GITS_CWRITER: 'Offset 19:5, Retry 0',
  GITS_CREADR: 'Offset 19:5, Stalled 0',
  GITS_BASER:
    'Valid 63, Indirect 62, InnerCache 61:59, Type 58:56, OuterCache 55:53, Entry_Size 52:48, Physical_Address 47:12, Shareability 11:10, Page_Size 9:8, Size 7:0',
  'GITS_BASER 64 KB pages':
    'Valid 63, Indirect 62, InnerCache 61:59, Type 58:56, OuterCache 55:53, Entry_Size 52:48, Physical_Address_47_16 47:16, Physical_Address_51_48 15:12, Shareability 11:10, Page_Size 9:8, Size 7:0',
  GITS_TRANSLATER: 'EventID 31:0',
  GITS_SGIR: 'vPEID 47:32, vINTID 3:0',
  'GICD_CTLR Non-secure access, two Security states': 'RWP 31, ARE_NS 4, EnableGrp1A 1, EnableGrp1 0',
};

const sysregs: Readonly<Record<string, string>> = {
  ICC_PMR_EL1: 'Priority 7:0',
  ICC_IAR1_EL1: 'INTID 23:0',
  ICC_EOIR0_EL1: 'INTID 23:0',
  ICC_DIR_EL1: 'INTID 23:0',
  ICC_BPR1_EL1: 'BinaryPoint 2:0',
  ICC_AP0R0_EL1: 'P 31:0',
  ICC_AP1R0_EL1: 'NMI 63, P 31:0',
  ICC_RPR_EL1: 'NMI 63, NMI_NS 62, Priority 7:0',
  ICV_RPR_EL1: 'NMI 63, Priority 7:0',
  ICC_SGI0R_EL1: SGI,
  ICC_SGI1R_EL1: SGI,
  ICC_CTLR_EL1: ICC_CTLR,
  ICV_CTLR_EL1: ICC_CTLR.replace('PMHE 6, ', ''),
  ICC_CTLR_EL3:
    'ExtRange 19, RSS 18, nDS 17, A3V 15, SEIS 14, IDbits 13:11, PRIbits 10:8, PMHE 6, RM 5, EOImode_EL1NS 4, EOImode_EL1S 3, EOImode_EL3 2, CBPR_EL1NS 1, CBPR_EL1S 0',
  ICC_SRE_EL1: 'DIB 2, DFB 1, SRE 0',
  ICC_SRE_EL2: 'Enable 3, DIB 2, DFB 1, SRE 0',
  ICC_IGRPEN1_EL1: 'Enable 0',
  ICC_IGRPEN1_EL3: 'EnableGrp1S 1, EnableGrp1NS 0',
  ICH_HCR_EL2:
    'EOIcount 31:27, DVIM 15, TDIR 14, TSEI 13, TALL1 12, TALL0 11, TC 10, vSGIEOICount 8, VGrp1DIE 7, VGrp1EIE 6, VGrp0DIE 5, VGrp0EIE 4, NPIE 3, LRENPIE 2, UIE 1, En 0',
  ICH_VTR_EL2:
    'PRIbits 31:29, PREbits 28:26, IDbits 25:23, SEIS 22, A3V 21, nV4 20, TDS 19, DVIM 18, ListRegs 4:0',
  ICH_MISR_EL2: 'VGrp1D 7, VGrp1E 6, VGrp0D 5, VGrp0E 4, NP 3, LRENP 2, U 1, EOI 0',
  ICH_EISR_EL2: 'Status 15:0',
  ICH_ELRSR_EL2: 'Status 15:0',
  ICH_VMCR_EL2:
    'VPMR 31:24, VBPR0 23:21, VBPR1 20:18, VEOIM 9, VCBPR 4, VFIQEn 3, VAckCtl 2, VENG1 1, VENG0 0',
  ICH_LR0_EL2: LR,
  ICH_LR15_EL2: LR,
};

/** As register descriptions list them: from the highest bit down. */
function layoutText(fields: readonly FieldSpec[]): string {
  return [...fields]
    .sort((a, b) => b.lsb - a.lsb)
    .map(({ name, lsb, width }) => `${name} ${width === 1 ? lsb : `${lsb + width - 1}:${lsb}`}`)
    .join(', ');
}

test('fields of the frames', () => {
  const found: Record<string, string> = {};
  for (const [name, spec] of Object.entries<RegisterSpec>({ ...GICD, ...GICR, ...GITS })) {
    if (spec.fields.length > 0) found[name] = layoutText(spec.fields);
    for (const [view, fields] of Object.entries(spec.views ?? {}))
      found[`${name} ${view}`] = layoutText(fields);
  }
  // Each of these has the one field of its twin above.
  for (const name of ['GICD_CLRSPI_NSR', 'GICD_SETSPI_SR', 'GICD_CLRSPI_SR']) {
    expect(found[name], name).toBe(frames.GICD_SETSPI_NSR);
    delete found[name];
  }
  expect(found).toEqual(frames);
});

test('fields of the system registers', () => {
  const found = Object.entries(SYSREGS)
    .filter(([name]) => name in sysregs)
    .map(([name, spec]) => [name, layoutText(spec.fields)]);
  expect(Object.fromEntries(found)).toEqual(sysregs);
});
