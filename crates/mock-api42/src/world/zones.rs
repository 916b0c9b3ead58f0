//! Where campuses are: time zones, countries, languages.

/// A time zone, and what people speak there.
#[derive(Debug)]
pub(crate) struct Zone {
    pub(super) name: &'static str,
    pub(crate) minutes_east: i32,
    pub(crate) summer_time: bool,
    pub(super) country: &'static str,
    pub(super) language: usize,
}

const fn zone(
    name: &'static str,
    minutes: i32,
    summer: bool,
    country: &'static str,
    language: usize,
) -> Zone {
    Zone { name, minutes_east: minutes, summer_time: summer, country, language }
}

pub(super) const LANGUAGES: [(i64, &str, &str); 9] = [
    (1, "Français", "fr"),
    (2, "English", "en"),
    (3, "Română", "ro"),
    (5, "Українська", "uk"),
    (11, "Español", "es"),
    (12, "Italian", "it"),
    (13, "Japanese", "ja"),
    (14, "Portuguese", "pt"),
    (16, "Korean", "ko"),
];

pub(super) static ZONES: [Zone; 28] = [
    zone("Europe/Paris", 60, true, "France", 0),
    zone("Europe/Madrid", 60, true, "Spain", 4),
    zone("Europe/Brussels", 60, true, "Belgium", 0),
    zone("Europe/Amsterdam", 60, true, "Netherlands", 1),
    zone("Europe/Rome", 60, true, "Italy", 5),
    zone("Europe/Berlin", 60, true, "Germany", 1),
    zone("Europe/Lisbon", 0, true, "Portugal", 7),
    zone("Europe/London", 0, true, "United Kingdom", 1),
    zone("Europe/Helsinki", 120, true, "Finland", 1),
    zone("Europe/Bucharest", 120, true, "Moldova, Republic of", 2),
    zone("Europe/Istanbul", 180, false, "Turkey", 1),
    zone("Europe/Moscow", 180, false, "Russian Federation", 1),
    zone("Asia/Tokyo", 540, false, "Japan", 6),
    zone("Asia/Seoul", 540, false, "Korea, Republic of", 8),
    zone("Asia/Singapore", 480, false, "Singapore", 1),
    zone("Asia/Kuala_Lumpur", 480, false, "Malaysia", 1),
    zone("Asia/Bangkok", 420, false, "Thailand", 1),
    zone("Asia/Dubai", 240, false, "United Arab Emirates", 1),
    zone("Asia/Yerevan", 240, false, "Armenia", 1),
    zone("Asia/Amman", 180, false, "Jordan", 1),
    zone("Asia/Beirut", 120, true, "Lebanon", 1),
    zone("Africa/Casablanca", 60, false, "Morocco", 0),
    zone("Africa/Luanda", 60, false, "Angola", 7),
    zone("Indian/Antananarivo", 180, false, "Madagascar", 0),
    zone("Australia/Adelaide", 630, false, "Australia", 1),
    zone("America/Sao_Paulo", -180, false, "Brazil", 7),
    zone("America/La_Paz", -240, false, "Bolivia, Plurinational State of", 4),
    zone("America/Los_Angeles", -480, true, "United States", 1),
];
