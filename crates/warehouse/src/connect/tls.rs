//! TLS as libpq understands `sslmode`: encrypt only, check the chain, check the chain and the name.

use super::settings::{Security, Settings};
use anyhow::{Context, Result, anyhow};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use std::path::Path;
use std::sync::Arc;
use tokio_postgres_rustls::MakeRustlsConnect;
use verdict::{Judge, Verdict};

/// A connector that checks as much as the settings ask for.
pub(super) fn connector(settings: &Settings) -> Result<MakeRustlsConnect> {
    let provider = Arc::new(ring::default_provider());
    let verifier = verifier(settings, &provider).verdict(Verdict::Config)?;
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let config = builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

fn verifier(settings: &Settings, provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>> {
    let names_matter = match settings.security {
        Security::Disable | Security::Prefer | Security::Require => {
            return Ok(Arc::new(Lenient { provider: Arc::clone(provider), chain: None }));
        }
        Security::VerifyCa => false,
        Security::VerifyFull => true,
    };
    let roots = Arc::new(roots(settings.roots.as_deref())?);
    let chain = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(provider)).build()?;
    if names_matter {
        return Ok(chain);
    }
    Ok(Arc::new(Lenient { provider: Arc::clone(provider), chain: Some(chain) }))
}

fn roots(file: Option<&Path>) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    let Some(file) = file else {
        let found = rustls_native_certs::load_native_certs();
        for error in &found.errors {
            log::warn!("certificates of the system: {error}");
        }
        roots.add_parsable_certificates(found.certs);
        return Ok(roots);
    };
    let place = || format!("sslrootcert {}", file.display());
    for certificate in
        CertificateDer::pem_file_iter(file).map_err(|error| anyhow!("{error}")).with_context(place)?
    {
        roots
            .add(certificate.map_err(|error| anyhow!("{error}")).with_context(place)?)
            .with_context(place)?;
    }
    if roots.is_empty() {
        return Err(anyhow!("{} holds no certificate in PEM form", place()));
    }
    Ok(roots)
}

/// Checks less than rustls would: no name, or nothing but that the server holds the key of the certificate it shows.
#[derive(Debug)]
struct Lenient {
    provider: Arc<CryptoProvider>,
    /// Set when a root must vouch for the certificate.
    chain: Option<Arc<WebPkiServerVerifier>>,
}

impl ServerCertVerifier for Lenient {
    fn verify_server_cert(
        &self,
        end: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(chain) = &self.chain else { return Ok(ServerCertVerified::assertion()) };
        match chain.verify_server_cert(end, between, name, ocsp, now) {
            // The name is looked at last, so a certificate of another name has passed everything else.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            outcome => outcome,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
