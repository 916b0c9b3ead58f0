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
    /// answers tell of pages that are needed sooner. Pages wait to be given of the current list, and as many of all:
    /// were they counted together, the first pages of lists far ahead would keep those of the current one from being
    /// asked for.
    pub(crate) fn ask(&mut self, under_way: usize) -> Option<(usize, Ask)> {
        let mut waiting = 0;
        for list in self.current..self.courses.len() {
            let (is_current, course) = (list == self.current, &mut self.courses[list]);
            waiting += course.waiting();
            let has_room = under_way <= self.in_flight && waiting < 2 * self.in_flight;
            match course.wanted() {
                Some(ask) if has_room || (is_current && course.is_urgent(ask)) => {
                    course.asked(ask);
                    return Some((list, ask));
                }
                _ if !has_room && !is_current => return None,
                _ => {}
            }
        }
        None
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
