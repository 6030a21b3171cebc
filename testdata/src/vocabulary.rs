//! The words that rows are made of: apps, cities, devices, channels, events, labels. Reads nothing,
//! writes nothing.

/// Number of cities.
pub const CITIES: usize = 371;

/// Operating systems as devices report them.
pub const SYSTEMS: [&str; 5] = ["Android", "iOS", "HarmonyOS", "Windows", "mac"];

/// Platform events, most frequent first.
pub const EVENTS: [&str; 4] = ["visit", "add_to_cart", "share", "purchase"];

/// Index of `purchase` in [`EVENTS`].
pub const PURCHASE: u8 = 3;

/// An event that no configuration asks for.
pub const UNASKED_EVENT: &str = "debug_ping";

/// What users are interested in.
pub const INTERESTS: [&str; 16] = [
    "smart_home",
    "coffee",
    "tea",
    "travel",
    "gaming",
    "sport",
    "beauty",
    "books",
    "cars",
    "pets",
    "母婴",
    "家电",
    "photo",
    "music",
    "cooking",
    "garden",
];

const KNOWN_APPS: [&str; 12] = [
    "mega_mart",
    "tea_shop",
    "咖啡馆",
    "book_nook",
    "noodle_bar",
    "pharmacy_24",
    "café_lumière",
    "zoo",
    "farm_box",
    "cinema",
    "gym",
    "花店",
];

/// App names that try to break paths, columns and messages; the dirty preset uses them.
pub const HOSTILE_APPS: [&str; 7] = [
    "../../x",
    "a/b",
    "=",
    "line\nbreak",
    " ",
    "dt=2026-11-18",
    "100%25",
];

const KNOWN_CITIES: [&str; 24] = [
    "Beijing",
    "Shanghai",
    "Guangzhou",
    "Shenzhen",
    "Chengdu",
    "Hangzhou",
    "Chongqing",
    "Wuhan",
    "Xian",
    "Suzhou",
    "Nanjing",
    "Tianjin",
    "北京",
    "上海",
    "乌鲁木齐",
    "Zürich",
    "São Paulo",
    "Łódź",
    "Hong Kong",
    "New York",
    "Ürümqi",
    "Köln",
    "Kunming",
    "Harbin",
];

const FIRST: [&str; 20] = [
    "An", "Bao", "Chang", "Da", "Fu", "Gan", "Hai", "Ji", "Kai", "Lan", "Ming", "Ning", "Ping",
    "Qing", "Rong", "Shan", "Tai", "Wei", "Xing", "Yong",
];
const LAST: [&str; 20] = [
    "an", "bei", "chun", "de", "feng", "gu", "he", "jing", "kou", "lin", "men", "nan", "ping",
    "quan", "ren", "shi", "tong", "xi", "yang", "zhou",
];

const KNOWN_CHANNELS: [&str; 10] = [
    "wechat",
    "weibo",
    "douyin",
    "baidu",
    "qr_code",
    "sms",
    "mail",
    "taobao",
    "mini_ad",
    "朋友圈",
];

/// Number of named channels; a missing one means `direct`.
pub const CHANNELS: usize = 38;

/// The name of app number `app`; hostile ones stand at 3, 4, 5 ... when asked for.
pub fn app_name(app: u32, is_hostile: bool) -> String {
    let app = app as usize;
    match (
        app.checked_sub(3).and_then(|i| HOSTILE_APPS.get(i)),
        KNOWN_APPS.get(app),
    ) {
        (Some(name), _) if is_hostile => (*name).to_owned(),
        (_, Some(name)) => (*name).to_owned(),
        _ => format!("shop_{app:05}"),
    }
}

/// All cities, in the order of their size. Each starts with a capital and has no other, so title
/// case leaves it as it is.
pub fn cities() -> Vec<String> {
    let made = FIRST
        .iter()
        .flat_map(|first| LAST.iter().map(move |last| format!("{first}{last}")));
    KNOWN_CITIES
        .iter()
        .map(ToString::to_string)
        .chain(made)
        .take(CITIES)
        .collect()
}

/// All named channels, in the order of their size.
pub fn channels() -> Vec<String> {
    let made = (KNOWN_CHANNELS.len()..CHANNELS).map(|i| format!("partner_{i:02}"));
    KNOWN_CHANNELS
        .iter()
        .map(ToString::to_string)
        .chain(made)
        .collect()
}

/// Cumulative shares of `len` things whose sizes fall as 1 / (rank + `flat`).
pub fn falling_shares(len: usize, flat: f64) -> Vec<f64> {
    let sizes: Vec<f64> = (0..len)
        .map(|rank| 1.0 / (rank as f64 + 1.0 + flat))
        .collect();
    let total: f64 = sizes.iter().sum();
    let mut sum = 0.0;
    let mut steps: Vec<f64> = sizes
        .iter()
        .map(|size| {
            sum += size / total;
            sum
        })
        .collect();
    if let Some(last) = steps.last_mut() {
        *last = 1.0;
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn words_are_distinct() {
        assert_eq!(cities().into_iter().collect::<BTreeSet<_>>().len(), CITIES);
        assert_eq!(
            channels().into_iter().collect::<BTreeSet<_>>().len(),
            CHANNELS
        );
        assert_eq!(
            (0..3000)
                .map(|app| app_name(app, true))
                .collect::<BTreeSet<_>>()
                .len(),
            3000
        );
    }
}
