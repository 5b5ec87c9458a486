//! Classic BPF, laid out from its end: jumps only go forward, so what a branch leads to is there before the branch is, and
//! what many branches lead to is there once.

use longhorn_sys::seccomp::Instruction;

/// `BPF_LD | BPF_W | BPF_ABS`: takes a word of what the program is asked about.
pub const LOAD: u16 = 0x20;
/// `BPF_ALU | BPF_AND | BPF_K`.
pub const AND: u16 = 0x54;
/// `BPF_JMP | BPF_JA`.
pub const JUMP: u16 = 0x05;
/// `BPF_JMP | BPF_JEQ | BPF_K`.
pub const IF_EQUAL: u16 = 0x15;
/// `BPF_JMP | BPF_JGE | BPF_K`.
pub const IF_AT_LEAST: u16 = 0x35;
/// `BPF_RET | BPF_K`.
pub const RETURN: u16 = 0x06;
/// A conditional jump passes over no more instructions; an unconditional one over any number.
const REACH: usize = u8::MAX as usize;

/// An instruction of a [`Layout`], by the number of instructions from it to the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place(usize);

/// A program from its last instruction to its first.
#[derive(Debug, Default)]
pub struct Layout(Vec<Instruction>);

impl Layout {
    /// Ends with a verdict.
    pub fn verdict(&mut self, verdict: u32) -> Place {
        let wanted = Instruction { code: RETURN, jump_true: 0, jump_false: 0, operand: verdict };
        let there = self.0.iter().rposition(|one| *one == wanted).map(|at| Place(at + 1));
        // A branch that would need a jump to it has it nearer for the same price.
        there.filter(|place| self.over(*place) < REACH).unwrap_or_else(|| self.push(wanted))
    }

    /// Does one thing and goes on at `next`.
    pub fn step(&mut self, code: u16, operand: u32, next: Place) -> Place {
        self.within(next, 0);
        self.push(Instruction { code, jump_true: 0, jump_false: 0, operand })
    }

    /// Compares and goes on at `yes` or `no`.
    pub fn branch(&mut self, code: u16, operand: u32, yes: Place, no: Place) -> Place {
        // A jump that makes the second reachable moves the first one further away.
        let yes = self.within(yes, REACH - 1);
        let no = self.within(no, REACH);
        let over = |place| u8::try_from(self.over(place)).expect("it was just brought within reach");
        self.push(Instruction { code, jump_true: over(yes), jump_false: over(no), operand })
    }

    /// The program from its first instruction.
    pub fn finish(mut self) -> Vec<Instruction> {
        self.0.reverse();
        self.0
    }

    /// What leads to a place and has no more than `most` instructions between itself and the next one.
    fn within(&mut self, place: Place, most: usize) -> Place {
        if self.over(place) <= most {
            return place;
        }
        let operand = u32::try_from(self.over(place)).expect("a program is far shorter than 4 G instructions");
        self.push(Instruction { code: JUMP, jump_true: 0, jump_false: 0, operand })
    }

    fn over(&self, place: Place) -> usize {
        self.0.len() - place.0
    }

    fn push(&mut self, instruction: Instruction) -> Place {
        self.0.push(instruction);
        Place(self.0.len())
    }
}
