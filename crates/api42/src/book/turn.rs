//! Who is served first: live work, but never so often in a row that the others stand still.

use super::{Book, Share};
use crate::class::Class;
use crate::clock::{Micros, SECOND};

/// A class that was told to come back is waited for this much longer. A process that was killed meanwhile costs no
/// more than this.
const GRACE: Micros = SECOND / 4;

/// Who lets somebody else go first asks again after a slot's length, but neither busily nor lazily.
const AGAIN: (Micros, Micros) = (SECOND / 500, SECOND / 50);

/// So many slots in a row are live work's while others wait; the next one is theirs.
const IN_A_ROW: u32 = 7;

impl Book {
    /// When a class has to ask again for a slot that the hour would grant it, or `None`: the slot is its own now.
    pub(super) fn waits(&mut self, now: Micros, share: Share) -> Option<Micros> {
        let until = if now < self.next {
            self.next
        } else if self.goes_first(now, share.class) {
            return None;
        } else {
            now + self.gap(share).clamp(AGAIN.0, AGAIN.1)
        };
        let note = &mut self.waiting[share.class.index()];
        *note = (*note).max(until + GRACE);
        Some(until)
    }

    /// Notes that a class took a slot.
    pub(super) fn served(&mut self, now: Micros, class: Class) {
        self.waiting[class.index()] = 0;
        let passing = class == Class::Live && self.others_wait(now);
        self.passed = if passing { self.passed.saturating_add(1) } else { 0 };
    }

    /// Whether a class is taken to wait for a slot.
    pub(super) fn is_waiting(&self, now: Micros, class: Class) -> bool {
        now < self.waiting[class.index()]
    }

    fn goes_first(&self, now: Micros, class: Class) -> bool {
        let live_had_its_turns = self.passed >= IN_A_ROW;
        match class {
            Class::Live => !(live_had_its_turns && self.others_wait(now)),
            Class::Hand | Class::Backlog | Class::Bulk => {
                live_had_its_turns || !self.is_waiting(now, Class::Live)
            }
        }
    }

    fn others_wait(&self, now: Micros) -> bool {
        Class::ALL.into_iter().any(|class| class != Class::Live && self.is_waiting(now, class))
    }
}
