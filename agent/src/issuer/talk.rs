//! What operators read: a line for each answer, so many a minute. Who asks without end fills no journal: what was left out is
//! counted.

use std::io::Write;
use std::time::Duration;

use crate::host::clock::BootTime;
use crate::screen::one_line;

const MINUTE: Duration = Duration::from_secs(60);
/// So many lines in one minute.
const MOST: u32 = 600;

/// Lines to somewhere.
pub struct Talk<W> {
    to: W,
    began: BootTime,
    said: u32,
    left_out: u64,
}

impl<W: Write> Talk<W> {
    /// Nothing said yet.
    pub fn new(to: W, now: BootTime) -> Self {
        Self { to, began: now, said: 0, left_out: 0 }
    }

    /// Says it, where this minute has room for it.
    pub fn say(&mut self, line: &str, now: BootTime) {
        if now >= self.began.plus(MINUTE) {
            if self.left_out > 0 {
                // Nobody reading is no reason to stop.
                let _ = writeln!(self.to, "longhorn issue: {} lines were left out", self.left_out);
            }
            (self.began, self.said, self.left_out) = (now, 0, 0);
        }
        // An alarm is never left out for what somebody else filled the minute with: its own bound is twice as high.
        let most = if line.starts_with("ALARM") { MOST * 2 } else { MOST };
        if self.said >= most {
            self.left_out += 1;
            return;
        }
        self.said += 1;
        // As above.
        let _ = writeln!(self.to, "longhorn issue: {}", one_line(line));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_has_room_for_so_many_lines_and_for_alarms_beyond_them() {
        let mut text = Vec::new();
        let now = BootTime(5);
        let mut talk = Talk::new(&mut text, now);
        (0..MOST + 10).for_each(|_| talk.say("refused: x\ny", now));
        talk.say("ALARM: z", now);
        talk.say("later", now.plus(MINUTE));
        let text = String::from_utf8(text).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), MOST as usize + 3, "no line holds a line feed of somebody else's");
        let end = ["longhorn issue: ALARM: z", "longhorn issue: 10 lines were left out", "longhorn issue: later"];
        assert_eq!(lines[MOST as usize..], end);
    }
}
