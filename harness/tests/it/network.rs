//! A network of a run's own, as its containers see it.

use harness::engine::{Attachment, ContainerSpec, Start};
use serde_json::json;

use crate::engine::bench::{Bench, Deed};

#[tokio::test]
async fn a_container_is_found_by_its_alias_and_only_in_its_network() {
    let Some(bench) = Bench::real().await else { return };
    bench
        .hold(async |bench: Bench| {
            let (ours, other) = (bench.name("ours"), bench.name("other"));
            for network in [&ours, &other] {
                bench.engine.create_network(network, &bench.labels()).await.unwrap();
            }
            let start = async |name: &str, network: &str, aliases: &[&str]| {
                let aliases = aliases.iter().map(|&alias| alias.to_owned()).collect();
                let networks = vec![Attachment { network: network.to_owned(), aliases }];
                let spec = ContainerSpec { networks, ..bench.spec_of(name, Deed::Runs, json!({})) };
                let id = bench.make(&spec).await;
                assert_eq!(bench.engine.start(&id).await.unwrap(), Start::Started);
                id
            };
            let service = start("service", &ours, &["db", "postgres"]).await;
            let subject = start("subject", &ours, &[]).await;
            let stranger = start("stranger", &other, &[]).await;
            let address = bench.engine.inspect(&service).await.unwrap().addresses[&ours].clone();

            let finds = async |id: &str, name: &str| {
                let asked = ["getent", "hosts", name].map(str::to_owned);
                let seen = bench.engine.exec(id, &asked).await.unwrap();
                (seen.code == 0).then(|| seen.output.split_whitespace().next().unwrap_or_default().to_owned())
            };
            assert_eq!(finds(&subject, "db").await, Some(address.clone()));
            assert_eq!(finds(&subject, "postgres").await, Some(address.clone()));
            assert_eq!(finds(&stranger, "db").await, None);

            // Who joins later is found too, and who leaves is not.
            bench.engine.connect(&ours, &stranger, &["late".to_owned()]).await.unwrap();
            assert_eq!(finds(&stranger, "db").await, Some(address));
            assert!(finds(&subject, "late").await.is_some());
            bench.engine.disconnect(&ours, &service).await.unwrap();
            assert_eq!(finds(&subject, "db").await, None);
        })
        .await;
}
