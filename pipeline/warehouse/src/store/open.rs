//! From a url or directory to a [`Store`]; reads credentials from the environment, contacts
//! nothing.

use std::collections::BTreeMap;
use std::path::{Component, Path as FilePath, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use object_store::aws::AmazonS3Builder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::http::HttpBuilder;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};
use tagmill_schemas::error::{Error, Result};
use tagmill_schemas::outside::secret_in;
use url::Url;

use super::Store;

const STAGE: &str = "store";

/// An outage of 60 s is survived, that of a fail-over; short enough that a scheduler sees exit 3
/// while the night is young. Time alone ends the retries: waits are chosen at random between the
/// first and a multiple of the one before, so a count of them may be used up within seconds.
const RETRY_TIMEOUT: Duration = Duration::from_secs(90);
/// More than there is time for.
const MOST_RETRIES: usize = 10_000;
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(5);
const WAIT_GROWTH: f64 = 3.0;

/// Variables that hold the url of a service, by the scheme of the stores that it serves.
const ENDPOINTS: [(&str, &[&str]); 3] = [
    ("s3", &S3_ENDPOINTS),
    ("s3a", &S3_ENDPOINTS),
    ("gs", &["GOOGLE_BASE_URL"]),
];
const S3_ENDPOINTS: [&str; 3] = ["AWS_ENDPOINT", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"];

/// Schemes that need two slashes.
const WITH_AUTHORITY: [&str; 5] = ["s3", "s3a", "gs", "http", "https"];

/// `memory://` stores by authority: one process opens a warehouse more than once and means the same
/// one.
static MEMORIES: LazyLock<Mutex<BTreeMap<String, Arc<dyn ObjectStore>>>> =
    LazyLock::new(Mutex::default);

/// From now on `memory://<name>` is this store.
pub(super) fn mount(name: &str, objects: Arc<dyn ObjectStore>) {
    MEMORIES
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(name.to_owned(), objects);
}

/// Whether this is a url or path that a store can be opened by, and what the environment says of its
/// service is a url as well. Nothing is opened.
///
/// # Errors
/// Setup, with what was found and expected.
pub fn check_url(url: &str) -> Result<()> {
    if let Some(secret) = secret_in(url) {
        return Err(Error::setup(STAGE, format!("found {secret} in a url"))
            .at(url)
            .fix("take it out: credentials belong into the environment"));
    }
    let Some((scheme, _)) = split_scheme(url) else {
        let scheme = url.split_once(':').map(|(scheme, _)| scheme.to_lowercase());
        let meant = WITH_AUTHORITY
            .iter()
            .find(|known| scheme.as_deref() == Some(*known));
        return match meant {
            Some(meant) => Err(Error::setup(STAGE, format!("found no // after {meant}:"))
                .at(url)
                .fix(format!("did you mean {meant}://?"))),
            None => Ok(()),
        };
    };
    let endpoints = ENDPOINTS.iter().find(|(known, _)| *known == scheme);
    endpoints
        .into_iter()
        .flat_map(|(_, variables)| *variables)
        .try_for_each(|variable| match std::env::var_os(variable) {
            None => Ok(()),
            Some(value) => check_endpoint(variable, &value.to_string_lossy()),
        })
}

/// The library takes what it is given for a url of a service.
fn check_endpoint(variable: &str, value: &str) -> Result<()> {
    let refuse = |found: &str| {
        Err(Error::setup(
            STAGE,
            format!("{variable} is {found}, expected https://host or https://host:port"),
        )
        .fix("set it to the url of the service, or unset it"))
    };
    if value.trim().is_empty() {
        return refuse("empty");
    }
    if secret_in(value).is_some() {
        return refuse("a url with user or password");
    }
    let Ok(url) = Url::parse(value) else {
        return refuse(&format!("{value:?}, which is not a url"));
    };
    match url.scheme() {
        "http" | "https" if url.query().is_none() && url.fragment().is_none() => Ok(()),
        "http" | "https" => refuse("a url with parameters"),
        _ => refuse(&format!("{value:?}, without http:// or https://")),
    }
}

pub(super) fn open(url: &str) -> Result<Store> {
    check_url(url)?;
    match split_scheme(url) {
        None => open_directory(FilePath::new(url)),
        Some(("file", _)) => open_directory(&file_path(url)?),
        Some(("memory", rest)) => open_memory(rest),
        Some(("s3" | "s3a", rest)) => open_s3(url, rest),
        Some(("gs", rest)) => open_gcs(url, rest),
        Some(("http" | "https", _)) => open_http(url),
        Some((scheme, _)) => Err(Error::setup(
            STAGE,
            format!(
                "found scheme {scheme:?}, expected a directory, file, memory, s3, gs, http or \
                 https"
            ),
        )
        .at(url)),
    }
}

/// Opens the folder before the first wildcard; the rest is the pattern for [`Store::list`].
///
/// # Errors
/// As [`Store::open`].
pub fn open_pattern(url: &str) -> Result<(Store, String)> {
    let (folder, pattern) = split_pattern(url);
    Ok((Store::open(folder)?, pattern.to_owned()))
}

/// Splits a url or path into the folder before its first wildcard (`*`) and the rest; without a
/// wildcard the rest is the last name.
pub fn split_pattern(url: &str) -> (&str, &str) {
    let literal = url.find('*').map_or(url, |star| &url[..star]);
    let authority_end = split_scheme(url).map_or(0, |(_, rest)| {
        url.len() - rest.len() + rest.find('/').unwrap_or(rest.len())
    });
    match literal.rfind('/') {
        Some(0) => ("/", &url[1..]),
        Some(slash) if slash >= authority_end => (&url[..slash], &url[slash + 1..]),
        Some(_) => (url, ""),
        None => (".", url),
    }
}

fn split_scheme(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = url.split_once(':')?;
    let is_scheme = scheme.len() > 1 && scheme.bytes().all(|b| b.is_ascii_alphanumeric());
    match rest.strip_prefix("//") {
        Some(rest) if is_scheme => Some((scheme, rest)),
        None if matches!(scheme, "file" | "memory") => Some((scheme, rest)),
        _ => None,
    }
}

fn refused(url: &str, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::setup(STAGE, "can not be opened")
        .at(url)
        .because(cause)
}

fn file_path(url: &str) -> Result<PathBuf> {
    let parsed = Url::parse(url).map_err(|e| refused(url, e))?;
    parsed.to_file_path().map_err(|()| {
        Error::setup(STAGE, "found a file url with a host, expected file:///path").at(url)
    })
}

fn open_directory(directory: &FilePath) -> Result<Store> {
    let place = directory.display().to_string();
    if place.is_empty() {
        return Err(Error::setup(
            STAGE,
            "found an empty path, expected a directory or url",
        ));
    }
    let absolute = resolve(directory).map_err(|e| refused(&place, e))?;
    if absolute.is_file() {
        return Err(Error::setup(STAGE, "found a file, expected a directory").at(place));
    }
    let text = absolute
        .to_str()
        .ok_or_else(|| Error::setup(STAGE, "the path is not valid utf-8").at(&place))?;
    let root = Path::parse(text).map_err(|e| refused(&place, e))?;
    Ok(Store::new(
        Arc::new(LocalFileSystem::new()),
        "file://",
        root,
    ))
}

/// The real path of what exists of `path`, and the rest after it: a warehouse is opened before it
/// is there.
fn resolve(path: &FilePath) -> std::io::Result<PathBuf> {
    let absolute = std::path::absolute(path)?;
    let mut rest = Vec::new();
    let mut existing = absolute.as_path();
    loop {
        match (
            existing.canonicalize(),
            existing.parent(),
            existing.components().next_back(),
        ) {
            (Ok(real), _, _) => {
                return Ok(rest.iter().rev().fold(real, |path, name| path.join(name)));
            }
            (Err(e), Some(parent), Some(Component::Normal(name)))
                if e.kind() == std::io::ErrorKind::NotFound =>
            {
                rest.push(name.to_owned());
                existing = parent;
            }
            (Err(e), _, _) => return Err(e),
        }
    }
}

fn open_memory(rest: &str) -> Result<Store> {
    let (name, path) = rest.split_once('/').unwrap_or((rest, ""));
    let name = if name.is_empty() { "default" } else { name };
    let objects = Arc::clone(
        MEMORIES
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(name.to_owned())
            .or_insert_with(|| Arc::new(InMemory::new())),
    );
    let root = Path::parse(path).map_err(|e| refused(rest, e))?;
    Ok(Store::new(objects, format!("memory://{name}"), root))
}

fn retry() -> RetryConfig {
    RetryConfig {
        max_retries: MOST_RETRIES,
        retry_timeout: RETRY_TIMEOUT,
        backoff: BackoffConfig {
            init_backoff: FIRST_WAIT,
            max_backoff: LONGEST_WAIT,
            base: WAIT_GROWTH,
        },
    }
}

fn open_s3(url: &str, rest: &str) -> Result<Store> {
    let (bucket, root) = bucket_and_root(url, rest)?;
    let objects = AmazonS3Builder::from_env()
        .with_bucket_name(bucket)
        .with_retry(retry())
        .build()
        .map_err(|e| refused(url, e))?;
    Ok(Store::new(
        Arc::new(objects),
        format!("s3://{bucket}"),
        root,
    ))
}

fn open_gcs(url: &str, rest: &str) -> Result<Store> {
    let (bucket, root) = bucket_and_root(url, rest)?;
    let objects = GoogleCloudStorageBuilder::from_env()
        .with_bucket_name(bucket)
        .with_retry(retry())
        .build()
        .map_err(|e| refused(url, e))?;
    Ok(Store::new(
        Arc::new(objects),
        format!("gs://{bucket}"),
        root,
    ))
}

/// Keys are taken as they stand, without percent decoding, as the vendors' own tools do.
fn bucket_and_root<'a>(url: &str, rest: &'a str) -> Result<(&'a str, Path)> {
    let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
    if bucket.is_empty() {
        return Err(Error::setup(STAGE, "found no bucket, expected scheme://bucket/path").at(url));
    }
    Ok((bucket, Path::parse(key).map_err(|e| refused(url, e))?))
}

fn open_http(url: &str) -> Result<Store> {
    let parsed = Url::parse(url).map_err(|e| refused(url, e))?;
    let base = parsed[..url::Position::BeforePath].to_owned();
    let root = Path::from_url_path(parsed.path()).map_err(|e| refused(url, e))?;
    let client = ClientOptions::new().with_allow_http(true);
    let built = HttpBuilder::new()
        .with_url(base.clone())
        .with_client_options(client)
        .with_retry(retry())
        .build();
    let objects: Arc<dyn ObjectStore> = Arc::new(built.map_err(|e| refused(url, e))?);
    Ok(Store::new(objects, base, root))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn splits_a_pattern_at_its_first_wildcard() {
        for (url, expected) in [
            (
                "s3://raw/profiles/dt=1/*.parquet",
                ("s3://raw/profiles/dt=1", "*.parquet"),
            ),
            (
                "s3://raw/events/dt=1/hour=*/*.parquet",
                ("s3://raw/events/dt=1", "hour=*/*.parquet"),
            ),
            ("s3://raw/*.parquet", ("s3://raw", "*.parquet")),
            ("s3://raw", ("s3://raw", "")),
            ("raw/**/x.parquet", ("raw", "**/x.parquet")),
            ("x.parquet", (".", "x.parquet")),
            ("/x.parquet", ("/", "x.parquet")),
            ("file:///data/x.parquet", ("file:///data", "x.parquet")),
        ] {
            assert_eq!(split_pattern(url), expected, "{url}");
        }
    }

    #[test]
    fn opens_directories_that_are_not_there_yet() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("a/b c").to_str().unwrap()).unwrap();
        assert!(
            store.name_of("x").ends_with("/a/b c/x"),
            "{}",
            store.name_of("x")
        );
        assert_eq!(store.base(), "file://");
    }

    #[test]
    fn refuses_unknown_schemes_and_missing_buckets_as_setup() {
        for url in ["ftp://x/y", "s3:///y", "file://host/x", ""] {
            assert_eq!(
                Store::open(url).err().map(|e| e.exit_code()),
                Some(2),
                "{url}"
            );
        }
    }

    #[test]
    fn refuses_slips_in_urls_before_a_library_gets_them() {
        for (url, expected) in [
            ("s3:/bucket/x", "did you mean s3://?"),
            ("S3:bucket", "did you mean s3://?"),
            ("https:/host/x", "did you mean https://?"),
            ("s3://KEY:SECRET@bucket/w", "found user or password"),
            (
                "s3://bucket/w?aws_secret_access_key=SECRET",
                "aws_secret_access_key",
            ),
        ] {
            let error = Store::open(url).err().unwrap();
            assert_eq!(error.exit_code(), 2);
            let text = error.to_string();
            assert!(
                text.contains(expected) && !text.contains("SECRET@"),
                "{text}"
            );
            assert!(!text.contains("=SECRET"), "{text}");
        }
    }

    #[test]
    fn an_endpoint_is_a_url_of_http() {
        for value in ["https://h", "http://127.0.0.1:9000", "https://h/path/"] {
            check_endpoint("AWS_ENDPOINT", value).unwrap();
        }
        for value in [
            "",
            " ",
            "h:9000",
            "localhost",
            "https://",
            "https://u:p@h",
            "http://h?x=1",
        ] {
            let error = check_endpoint("AWS_ENDPOINT", value).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            assert!(error.to_string().contains("AWS_ENDPOINT is"), "{error}");
            assert!(!error.to_string().contains("u:p"), "{error}");
        }
    }

    #[test]
    fn keeps_percent_signs_of_keys() {
        let store = Store::open("s3://bucket/a%20b").unwrap();
        assert_eq!(store.name_of("c"), "s3://bucket/a%20b/c");
    }
}
