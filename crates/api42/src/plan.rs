//! Which page of several lists is asked for next, so that calls are always under way and little waits to be given.
//! No calls here.

use crate::course::{Ask, Course};

/// The lists of a walk, as they are to be given: in order.
pub(crate) struct Plan {
    courses: Vec<Course>,
    /// The list that is being given.
    current: usize,
    in_flight: usize,
}

impl Plan {
    pub(crate) const fn new(courses: Vec<Course>, in_flight: usize) -> Self {
        Self { courses, current: 0, in_flight }
    }

    /// The list that is being given and its reading; none when all are done.
    pub(crate) fn current(&mut self) -> Option<(usize, &mut Course)> {
        self.courses.get_mut(self.current).map(|course| (self.current, course))
    }

    /// Takes note that the current list is done.
    pub(crate) fn close(&mut self) {
        if let Some(course) = self.courses.get_mut(self.current) {
            course.close();
            self.current += 1;
        }
    }

    /// The reading of a list.
    pub(crate) fn course(&mut self, list: usize) -> &mut Course {
        &mut self.courses[list]
    }

    /// Sum of the totals of all lists, as far as they are known.
    pub(crate) fn announced(&self) -> u64 {
        self.courses.iter().filter_map(Course::total).fold(0, u64::saturating_add)
    }

    /// What to ask for now, with so many calls under way; takes note that it was. What the reader needs next is always
    /// asked.
    ///
    /// One call more than can be under way is asked for, so that whoever has done one finds another; no more, because the
    /// answers tell of pages that are needed sooner.
    pub(crate) fn ask(&mut self, under_way: usize) -> Option<(usize, Ask)> {
        let course = self.courses.get(self.current)?;
        let urgent = course.wanted().filter(|ask| course.is_urgent(*ask)).map(|ask| (self.current, ask));
        let chosen = urgent.or_else(|| self.choose().filter(|_| under_way <= self.in_flight));
        if let Some((list, ask)) = chosen {
            self.courses[list].asked(ask);
        }
        chosen
    }

    /// The nearest page. Or the first one of a list, while few others are known: what follows it can be asked for when it
    /// is answered, and until then there have to be others.
    ///
    /// Pages wait to be given of the current list, and as many of all: were they counted together, the first pages of
    /// lists far ahead would keep those of the current one from being asked for.
    fn choose(&self) -> Option<(usize, Ask)> {
        let (mut nearest, mut waiting, mut known) = (None, 0, 0_u64);
        for (list, course) in self.courses.iter().enumerate().skip(self.current) {
            waiting += course.waiting();
            known = known.saturating_add(course.unasked());
            if waiting >= 2 * self.in_flight {
                break;
            }
            let wanted = course.wanted().map(|ask| (list, ask));
            if course.is_to_be_opened() && waiting < self.in_flight {
                return wanted;
            }
            nearest = nearest.or(wanted);
            if known >= self.in_flight as u64 {
                break;
            }
        }
        nearest
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
