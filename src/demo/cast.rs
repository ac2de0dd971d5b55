//! Who plays which part today: who is absent, who comes to early care, who practises and reads,
//! who eats in which sitting. Every choice is made by chance, every number is the model's.

use super::dice::Dice;
use super::house::{CLASSES, House, is_large};
use super::script::is_served_offline;

/// The parts of the day, each a list of members.
pub(super) struct Cast {
    /// Absent all day: eight who would be in care, then five who would not.
    pub(super) absent: Vec<usize>,
    /// Everyone who comes, in the order of coming; the first 44 go to early care.
    pub(super) arriving: Vec<usize>,
    /// Of one class, at the computers from nine.
    pub(super) practice_nine: Vec<usize>,
    /// Of another class, at the computers from ten.
    pub(super) practice_ten: Vec<usize>,
    /// Of a third class, in the library from ten.
    pub(super) reading_ten: Vec<usize>,
    /// Fetched during the morning.
    pub(super) fetched: Vec<usize>,
    /// Going home after the fourth, the fifth and the sixth lesson.
    pub(super) going_home: [Vec<usize>; 3],
    /// In care after the fourth lesson, eating at once.
    pub(super) first_sitting: Vec<usize>,
    /// In care after the fourth lesson too, eating next; all from the rooms whose tablet buffers
    /// are among them, so that none of these is elsewhere before its tap is known.
    pub(super) second_sitting: Vec<usize>,
    /// In care from twelve.
    pub(super) third_sitting: Vec<usize>,
    /// In care from half past twelve.
    pub(super) fourth_sitting: Vec<usize>,
    /// In care from one.
    pub(super) last_sitting: Vec<usize>,
}

/// How many come to early care.
pub(super) const EARLY: usize = 44;

impl Cast {
    /// Gives out the parts.
    pub(super) fn new(house: &House, dice: &mut Dice) -> Cast {
        let mut large: Vec<usize> = (0..CLASSES).filter(|class| is_large(*class)).collect();
        dice.shuffle(&mut large);
        let busy = take(&mut large, 3);
        let is_quiet =
            |member: &usize| house.members.get(*member).is_some_and(|m| !busy.contains(&m.class));
        let mut care: Vec<usize> = house.in_care().collect();
        let mut lessons: Vec<usize> =
            (0..house.members.len()).filter(|m| !care.contains(m)).collect();
        let mut absent = draw(&mut care, 8, dice, is_quiet);
        absent.extend(draw(&mut lessons, 5, dice, is_quiet));
        let fetched = draw(&mut lessons, 2, dice, is_quiet);
        let going_home = [take(&mut lessons, 40), take(&mut lessons, 41), lessons];

        let mut hours = busy.iter().zip([24, 25, 24]).map(|(class, count)| {
            let mut all = of_class(house, *class);
            draw(&mut all, count, dice, |_| true)
        });
        let practice_nine = hours.next().unwrap_or_default();
        let practice_ten = hours.next().unwrap_or_default();
        let reading_ten = hours.next().unwrap_or_default();

        let arriving = arriving(house, &care, &absent, dice);
        let mut after_fourth = take(&mut care, 66);
        let online = |member: &usize| !is_served_offline(house.care_of(*member));
        let mut first_sitting: Vec<usize> = after_fourth.iter().copied().filter(online).collect();
        first_sitting.truncate(37);
        after_fourth.retain(|member| !first_sitting.contains(member));
        Cast {
            absent,
            arriving,
            practice_nine,
            practice_ten,
            reading_ten,
            fetched,
            going_home,
            first_sitting,
            second_sitting: after_fourth,
            third_sitting: take(&mut care, 31),
            fourth_sitting: take(&mut care, 31),
            last_sitting: care,
        }
    }
}

fn of_class(house: &House, class: usize) -> Vec<usize> {
    let members = house.members.iter().enumerate();
    members.filter(|(_, m)| m.class == class).map(|(place, _)| place).collect()
}

fn arriving(house: &House, care: &[usize], absent: &[usize], dice: &mut Dice) -> Vec<usize> {
    let mut in_care = care.to_vec();
    dice.shuffle(&mut in_care);
    let mut arriving = take(&mut in_care, EARLY);
    let mut others: Vec<usize> = (0..house.members.len())
        .filter(|member| !absent.contains(member) && !arriving.contains(member))
        .collect();
    dice.shuffle(&mut others);
    arriving.append(&mut others);
    arriving
}

/// Takes the first `count` out of a list.
pub(super) fn take(from: &mut Vec<usize>, count: usize) -> Vec<usize> {
    from.drain(..count.min(from.len())).collect()
}

/// Takes `count` that fit out of a list by chance; the others keep their order.
pub(super) fn draw(
    from: &mut Vec<usize>,
    count: usize,
    dice: &mut Dice,
    fits: impl Fn(&usize) -> bool,
) -> Vec<usize> {
    let mut drawn: Vec<usize> = from.iter().copied().filter(|member| fits(member)).collect();
    dice.shuffle(&mut drawn);
    drawn.truncate(count);
    from.retain(|member| !drawn.contains(member));
    drawn
}
